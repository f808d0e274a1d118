"""The answer to a case. Whatever goes wrong, what was typed is not lost."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import Invalid, NotFound, WrongState
from portal.desk.cases import open_context
from portal.desk.verdict import Typed
from portal.gates import requires
from portal.zone import tell_house_time
from review import queries as review
from review.services import decisions, leases


@require_POST
@requires(Action.REVIEW)
def decide(request: HttpRequest, caller: Caller, case: str) -> HttpResponse:
    typed = Typed.of(request.POST)
    try:
        decisions.decide(
            case=case,
            lease_token=typed.lease,
            outcome=typed.outcome,
            reasons=typed.counted_reasons,
            facts=typed.facts,
            by=caller.actor,
            now=clock.now(),
        )
    except Invalid as refusal:
        return _again(request, caller, case, typed, refusal)
    except WrongState as refusal:
        if refusal.code == "copy_not_ready":  # in a moment the same answer will be taken
            return _again(request, caller, case, typed, Invalid("copy_not_ready", refusal.sentence))
        return _lost(request, typed, refusal)
    return redirect("portal:desk:queue")


def _again(request: HttpRequest, caller: Caller, case: str, typed: Typed, refusal: Invalid) -> HttpResponse:
    """The same page with a sentence at each field that needs another look."""
    tell_house_time()
    try:
        view = review.case_for_reviewer(case, reviewer_id=caller.user_id, now=clock.now())
    except NotFound:
        view = None
    if view is None or view.lease is None:  # the time ran out between the answer and this page
        return _lost(request, typed, WrongState("lease_lost", leases.LOST))
    errors = dict(refusal.fields) or {"form": refusal.sentence}
    if "outcome" in errors:
        errors["outcome"] = "Choose one of the three."
    return render(
        request, "desk/case.html", open_context(view, view.lease, caller, typed, errors), status=422
    )


def _lost(request: HttpRequest, typed: Typed, refusal: WrongState) -> HttpResponse:
    return render(request, "desk/lost.html", {"typed": typed, "refusal": refusal}, status=409)

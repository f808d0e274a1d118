"""One case: the clip, what was asked for, the time that is left."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import WrongState
from delivery import serve
from delivery.names import FILES
from delivery.rules import Reviewer
from delivery.serve import Screening
from generation.queries import Standing
from portal.desk.lease import lease_clock
from portal.desk.queue import WORDS
from portal.desk.verdict import OUTCOMES, Typed
from portal.gates import requires
from portal.zone import tell_house_time
from review import queries as review
from review.queries import CaseView, LeaseView
from review.services import leases
from review.states import CaseState

BESIDE = 8
"""Entries of the queue beside a case."""
STATES = {
    CaseState.APPROVED: ("Shown", "is-public"),
    CaseState.REFUSED: ("Not shown", "is-refused"),
    CaseState.AWAITING_ARTIST: ("Changes asked", "is-changes"),
    CaseState.WITHDRAWN: ("Withdrawn by the artist", "is-revoked"),
}
AGAIN = ("In review again", "is-review")


@require_safe
@requires(Action.REVIEW)
def show(request: HttpRequest, caller: Caller, case: str) -> HttpResponse:
    """The case at hand with its decision form, or one that the reviewer has decided on, to read."""
    tell_house_time()
    view = review.case_for_reviewer(case, reviewer_id=caller.user_id, now=clock.now())
    if view.lease is None:
        word, shape = STATES.get(view.state, AGAIN)
        context = case_context(view, caller) | {"word": word, "shape": shape}
        return render(request, "desk/decided_case.html", context)
    return render(
        request, "desk/case.html", open_context(view, view.lease, caller, Typed(lease=str(view.lease.token)))
    )


@require_safe
@requires(Action.REVIEW)
def player(request: HttpRequest, caller: Caller, case: str) -> HttpResponse:
    """The clip alone, asked for again while the reviewer's copy is being made: nothing, until that has changed."""
    tell_house_time()
    view = review.case_for_reviewer(case, reviewer_id=caller.user_id, now=clock.now())
    screening = _screening(view, caller)
    if view.clip.deleted_at is None and screening.standing == Standing.MAKING:
        return HttpResponse(status=204)
    return render(request, "desk/_player.html", {"case": view, "screening": screening})


@require_POST
@requires(Action.REVIEW)
def keep(request: HttpRequest, caller: Caller, case: str) -> HttpResponse:
    """Activity prolongs the lease; the answer is the clock to show. 409 when the case is not held any more."""
    now = clock.now()
    tell_house_time()
    held = _held(caller, case)
    if held is None:
        return JsonResponse({"code": "lease_lost"}, status=409)
    try:
        lease = leases.prolong(task=held.task, lease_token=held.token, by=caller.actor, now=now)
    except WrongState:
        return JsonResponse({"code": "lease_lost"}, status=409)
    return JsonResponse(lease_clock(lease, now).as_json())


@require_POST
@requires(Action.REVIEW)
def hand_back(request: HttpRequest, caller: Caller, case: str) -> HttpResponse:
    """Put the case back in its place. A lease that has run out is back already."""
    held = _held(caller, case)
    if held is not None:
        leases.hand_back(task=held.task, lease_token=held.token, by=caller.actor, now=clock.now())
    return redirect("portal:desk:queue")


@require_safe
@requires(Action.REVIEW)
def file(request: HttpRequest, caller: Caller, case: str, name: str) -> HttpResponseBase:
    if name not in FILES:
        raise Http404
    return serve.case_file(caller, case, FILES[name], request, now=clock.now())


def case_context(view: CaseView, caller: Caller) -> dict[str, Any]:
    earlier = [(decision, WORDS[decision.outcome][0]) for decision in view.decisions]
    return {"case": view, "earlier": earlier, "screening": _screening(view, caller)}


def open_context(
    view: CaseView, lease: LeaseView, caller: Caller, typed: Typed, errors: dict[str, str] | None = None
) -> dict[str, Any]:
    now = clock.now()
    return case_context(view, caller) | {
        "now": now,
        "clock": lease_clock(lease, now),
        "entries": review.queue(caller.user_id, now=now, limit=BESIDE),
        "outcomes": OUTCOMES,
        "typed": typed,
        "errors": errors or {},
    }


def _screening(view: CaseView, caller: Caller) -> Screening:
    return serve.screening(Reviewer(caller), view.clip, now=clock.now())


def _held(caller: Caller, case: str) -> LeaseView | None:
    held = review.held_by(caller.user_id, now=clock.now())
    return held if held is not None and held.case == case else None

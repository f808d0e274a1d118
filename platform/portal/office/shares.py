"""Shares: what is on view, and taking one back with a written reason."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import Invalid, NotFound
from portal.gates import requires
from portal.office.forms import sentences
from portal.office.programme import programme_of
from portal.paging import page
from review import queries as review
from review.queries import GrantRow
from review.services import shares
from review.states import GrantState, RevokerRole

SHOWN = {"active": GrantState.ACTIVE, "revoked": GrantState.REVOKED}


@require_safe
@requires(Action.OPERATE)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    programme = programme_of(caller)
    state = SHOWN.get(request.GET.get("state", ""))

    def read(limit: int, after: str | None) -> list[GrantRow]:
        return review.grants(programme.id, limit=limit, after=after, state=state)

    context = {
        "programme": programme,
        "state": state,
        "page": page(read, key=lambda row: row.public_id, after=request.GET.get("after")),
        "page_query": f"&state={state}" if state else "",
    }
    return render(request, "office/shares.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.OPERATE)
def revoke(request: HttpRequest, caller: Caller, share: str) -> HttpResponse:
    """Asks first, naming what happens; the reason goes to the artist word for word."""
    found = review.grant_of_programme(programme_of(caller).id, share)
    if found is None:
        raise NotFound("not_found", "There is no such share.")
    if found.state != GrantState.ACTIVE:
        messages.info(request, f"“{found.title}” is off view already.")
        return redirect("portal:office:shares")
    if request.method != "POST":
        return render(request, "office/share_revoke.html", {"share": found})
    reason = request.POST.get("reason", "")
    try:
        shares.revoke(
            grant=share, reason=reason, by=caller.actor, as_role=RevokerRole.OPERATOR, now=clock.now()
        )
    except Invalid as refusal:
        context = {"share": found, "typed": {"reason": reason}, "errors": sentences(refusal, "reason")}
        return render(request, "office/share_revoke.html", context, status=422)
    messages.info(request, f"“{found.title}” is off view. {found.artist_name} gets your reason by mail.")
    return redirect("portal:office:shares")

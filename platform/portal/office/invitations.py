"""Invitations: mailed, listed with their state, taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import Invalid, NotFound, WrongState
from portal.gates import requires
from portal.office.forms import sentences, whole_number
from portal.office.programme import cohort_of, programme_of
from programme import queries
from programme.queries import InvitationRow, ProgrammeView
from programme.services import invitations
from programme.services.invitations import CreatedInvitation

LISTED = 200
FIELDS = {"email": "", "cohort": "", "days": "14"}
WORDS = {
    "open": ("Open", "is-queued"),
    "accepted": ("Used", "is-ok"),
    "revoked": ("Taken back", "is-revoked"),
    "expired": ("Over", "is-private"),
}


@dataclass(frozen=True, slots=True)
class Listed:
    invitation: InvitationRow
    word: str
    shape: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Made:
    """What is shown once."""

    email: str
    link: str
    expires_at: datetime


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.OPERATE)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The answer to a good POST is this page itself: the link stands in it and is stored nowhere."""
    programme = programme_of(caller)
    if request.method != "POST":
        return _page(request, programme)
    typed = {key: request.POST.get(key, "") for key in FIELDS}
    try:
        created = _create(caller, programme, typed)
    except (Invalid, NotFound, WrongState) as refusal:
        field = "cohort" if isinstance(refusal, NotFound) else "email"
        return _page(request, programme, status=422, typed=typed, errors=sentences(refusal, field))
    made = Made(created.email, settings.BASE_URL + created.link, created.expires_at)
    return _page(request, programme, made=made, typed=FIELDS | {"cohort": typed["cohort"]})


@require_POST
@requires(Action.OPERATE)
def revoke(request: HttpRequest, caller: Caller, invitation: str) -> HttpResponse:
    """Of the invitations that this programme's list shows."""
    listed = queries.invitations(programme_of(caller).id, limit=LISTED)
    found = next((row for row in listed if row.public_id == invitation), None)
    if found is None:
        raise NotFound("not_found", "There is no such invitation.")
    try:
        invitations.revoke(invitation=invitation, by=caller.actor, now=clock.now())
        messages.info(
            request, f"The invitation of {found.email} is taken back; its link opens nothing any more."
        )
    except WrongState as refusal:
        messages.info(request, refusal.sentence)
    return redirect("portal:office:invitations")


def _create(caller: Caller, programme: ProgrammeView, typed: dict[str, str]) -> CreatedInvitation:
    return invitations.create(
        cohort_id=cohort_of(programme, typed["cohort"]).id,
        email=typed["email"],
        days=whole_number("days", typed["days"]),
        by=caller.actor,
        now=clock.now(),
    )


def _page(
    request: HttpRequest, programme: ProgrammeView, *, status: int = 200, **context: Any
) -> HttpResponse:
    now = clock.now()
    rows = []
    for row in queries.invitations(programme.id, limit=LISTED):
        state = row.state(now)
        rows.append(Listed(row, *WORDS[state], is_open=state == "open"))
    context = {
        "programme": programme,
        "rows": rows,
        "full": len(rows) == LISTED,
        "cohorts": queries.cohorts(programme.id),
        "typed": FIELDS,
        **context,
    }
    return render(request, "office/invitations.html", context, status=status)

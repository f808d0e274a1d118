"""Tokens of reviewers and operators: one page, seen from the desk and from the office."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from access import queries as access
from access.caller import Caller
from access.gate import Action
from access.kinds import KINDS, TokenKind
from access.scopes import Scope
from access.services import tokens
from access.services.tokens import IssuedToken
from core import clock
from core.errors import Invalid, NotFound
from portal.gates import requires
from portal.office.forms import sentences, whole_number
from portal.office.tokens import WORDS, TokenRow

FIELDS = {"name": "", "days": "90"}
OPENS = {
    Scope.REVIEW_DECIDE: "See the queue, take cases and decide them.",
    Scope.SHARES_REVOKE: "Take any clip off view.",
}


@dataclass(frozen=True, slots=True)
class Room:
    """From where the page is seen, and which kind of token is made there."""

    kind: TokenKind
    name: str
    page: str
    revoke: str


DESK = Room(TokenKind.REVIEWER, "Desk", "portal:desk:tokens", "portal:desk:token_revoke")
OFFICE = Room(TokenKind.OPERATOR, "Office", "portal:office:staff_tokens", "portal:office:staff_token_revoke")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.REVIEW)
def desk(request: HttpRequest, caller: Caller) -> HttpResponse:
    return _show(request, caller, DESK)


@require_POST
@requires(Action.REVIEW)
def desk_revoke(request: HttpRequest, caller: Caller, token: str) -> HttpResponse:
    return _revoke(request, caller, DESK, token)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.OPERATE)
def office(request: HttpRequest, caller: Caller) -> HttpResponse:
    return _show(request, caller, OFFICE)


@require_POST
@requires(Action.OPERATE)
def office_revoke(request: HttpRequest, caller: Caller, token: str) -> HttpResponse:
    return _revoke(request, caller, OFFICE, token)


def _show(request: HttpRequest, caller: Caller, room: Room) -> HttpResponse:
    """The answer to a good POST is this page itself: the secret stands in it and is stored nowhere."""
    if request.method != "POST":
        return _page(request, caller, room)
    typed = {key: request.POST.get(key, "") for key in FIELDS}
    scopes = request.POST.getlist("scopes")
    try:
        issued = tokens.issue(
            caller=caller,
            kind=room.kind,
            name=typed["name"],
            scopes=scopes,
            days=whole_number("days", typed["days"]),
            now=clock.now(),
        )
    except Invalid as refusal:
        errors = sentences(refusal, "name")
        return _page(request, caller, room, status=422, typed=typed, chosen=scopes, errors=errors)
    return _page(request, caller, room, issued=issued)


def _revoke(request: HttpRequest, caller: Caller, room: Room, token: str) -> HttpResponse:
    """One's own only: an operator ends other people's tokens from their list."""
    own = next((held for held in access.tokens_of(caller.user_id) if held.public_id == token), None)
    if own is None or own.kind != room.kind:
        raise NotFound("not_found", "There is no such token.")
    tokens.revoke(token=token, by=caller.actor, now=clock.now())
    messages.info(request, f"“{own.name}” is revoked: its next request is refused.")
    return redirect(room.page)


def _page(
    request: HttpRequest,
    caller: Caller,
    room: Room,
    *,
    status: int = 200,
    issued: IssuedToken | None = None,
    **context: Any,
) -> HttpResponse:
    now = clock.now()
    held = [token for token in access.tokens_of(caller.user_id) if token.kind == room.kind]
    allowed = sorted(KINDS[room.kind].scopes)
    context = {
        "room": room,
        "action": reverse(room.page),
        "rows": [TokenRow(token, "", *WORDS[token.state(now)]) for token in held],
        "scopes": [(scope.value, OPENS[scope]) for scope in allowed],
        "typed": FIELDS,
        "chosen": [scope.value for scope in allowed],
        "issued": issued,
        **context,
    }
    return render(request, "office/staff_tokens.html", context, status=status)

"""A member's API tokens: made, shown once, revoked."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from access import gate, queries
from access.caller import Caller
from access.gate import Action
from access.kinds import KINDS, TokenKind
from access.services import tokens
from access.services.tokens import IssuedToken
from core import clock
from core.errors import Invalid
from portal.gates import requires

WORDS = {
    "videos:read": "list and download clips",
    "videos:write": "render, stop and delete clips",
    "shares:write": "ask to share, withdraw and take back",
}
LIFETIMES = (7, 30, 90)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.READ_OWN)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Whoever may not make one still sees and revokes those they have."""
    if request.method != "POST":
        return _page(request, caller)
    days = request.POST.get("days", "")
    scopes = request.POST.getlist("scopes")
    try:
        issued = tokens.issue(
            caller=caller,
            kind=TokenKind.ARTIST,
            name=request.POST.get("name", ""),
            scopes=scopes,
            days=int(days) if days.isascii() and days.isdigit() and len(days) < 6 else 0,
            now=clock.now(),
        )
    except Invalid as refusal:
        return _page(request, caller, refusal=refusal)
    return _page(request, caller, issued=issued)


def _page(
    request: HttpRequest, caller: Caller, *, issued: IssuedToken | None = None, refusal: Invalid | None = None
) -> HttpResponse:
    chosen = request.POST.getlist("scopes") if refusal else list(WORDS)
    context = {
        "tokens": [token for token in queries.tokens_of(caller.user_id) if token.kind == TokenKind.ARTIST],
        "issued": issued,
        "errors": (dict(refusal.fields) or {"name": refusal.sentence}) if refusal else {},
        "name": request.POST.get("name", "") if refusal else "",
        "scopes": [
            (scope, WORDS[scope], scope in chosen)
            for scope in WORDS
            if scope in KINDS[TokenKind.ARTIST].scopes
        ],
        "lifetimes": LIFETIMES,
        "days": request.POST.get("days", "90"),
        "may_make": gate.may(caller, Action.MAKE_TOKEN),
        "base_url": settings.BASE_URL,
        "now": clock.now(),
    }
    return render(request, "studio/tokens.html", context, status=422 if refusal else 200)


@require_POST
@requires(Action.READ_OWN)
def revoke(request: HttpRequest, caller: Caller, token: str) -> HttpResponse:
    tokens.revoke(token=token, by=caller.actor, now=clock.now())
    return redirect("portal:tokens")

"""Members' tokens: what each opens, when it was used, and ending one without touching anything else."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access import queries as access
from access.caller import Caller
from access.gate import Action
from access.queries import HeldToken, TokenView
from access.services import tokens
from core import clock
from portal.gates import requires
from portal.office.programme import programme_of
from portal.paging import page

WORDS = {"live": ("Active", "is-ok"), "revoked": ("Revoked", "is-revoked"), "expired": ("Over", "is-private")}


@dataclass(frozen=True, slots=True)
class TokenRow:
    token: TokenView
    holder: str
    word: str
    shape: str

    @property
    def live(self) -> bool:
        return self.shape == "is-ok"


@require_safe
@requires(Action.OPERATE)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    programme, now = programme_of(caller), clock.now()

    def read(limit: int, after: str | None) -> list[TokenRow]:
        found = access.tokens_of_programme(programme.id, limit=limit, after=after)
        return [_row(held, held.token.state(now)) for held in found]

    rows = page(read, key=lambda row: row.token.public_id, after=request.GET.get("after"))
    return render(request, "office/tokens.html", {"programme": programme, "page": rows})


@require_POST
@requires(Action.OPERATE)
def revoke(request: HttpRequest, caller: Caller, token: str) -> HttpResponse:
    tokens.revoke(token=token, by=caller.actor, now=clock.now())
    messages.info(
        request,
        "The token is revoked: its next request is refused. The member's studio and other tokens go on.",
    )
    return redirect("portal:office:tokens")


def _row(held: HeldToken, state: str) -> TokenRow:
    return TokenRow(held.token, held.holder or held.email, *WORDS[state])

"""Who asks: the token of `Authorization: Bearer`, looked up on each request, so that a revoked one ends at once."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from access import gate
from access.caller import Caller
from core import clock
from core.errors import Unauthenticated


class TokenAuthentication(BaseAuthentication):
    """`request.user` is the Caller. Sessions are never looked at: a page's cookie opens nothing here."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        kind, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer" or not raw.strip():
            raise Unauthenticated(
                "token_missing", "Send your token with each request: “Authorization: Bearer pv_…”."
            )
        return gate.caller_for_token(raw.strip(), now=clock.now()), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Private View"'

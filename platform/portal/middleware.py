"""Puts the caller on the request, asked for once and only by views that need one."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from access import gate
from access.caller import Caller

SESSION_KEY = "membership"


class CallerMiddleware:
    """`request.caller` is the signed-in person as the gate knows them, or None."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.caller = SimpleLazyObject(lambda: _caller(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def _caller(request: HttpRequest) -> Caller | None:
    if not request.user.is_authenticated:
        return None
    return gate.caller_for_user(request.user.pk, request.session.get(SESSION_KEY))

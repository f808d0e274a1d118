"""Puts the caller on the request, and turns a refusal into a page."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from access import gate
from access.caller import Caller
from core.errors import DomainError, Unauthenticated
from portal.errors import refusal_page

SESSION_KEY = "membership"


class CallerMiddleware:
    """`request.caller` is the signed-in person as the gate knows them, or None; read when first asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.caller = SimpleLazyObject(lambda: _caller(request))  # type: ignore[attr-defined]  # ours
        timezone.deactivate()
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A refusal that a view does not show beside its form becomes a page with its sentence."""
        return refusal_page(request, exception) if isinstance(exception, DomainError) else None


def _caller(request: HttpRequest) -> Caller | None:
    if not request.user.is_authenticated or request.user.pk is None:
        return None
    try:
        return gate.caller_for_user(request.user.pk, request.session.get(SESSION_KEY))
    except Unauthenticated:
        return None

"""Puts the caller on the request, and turns a refusal into a page."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from access import gate
from access.caller import Caller
from core.errors import DomainError, Invalid, Unauthenticated
from portal.errors import refusal_page

SESSION_KEY = "membership"


class TextMiddleware:
    """PostgreSQL holds no NUL: a page's address, query or form that has one is refused before anybody looks it up.

    The API names the field at fault, and so has its own check.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/v1/") and self._has_nul(request):
            sentence = "There is a character in it that no text has (NUL). Go back and type it anew."
            return refusal_page(request, Invalid("bad_character", sentence))
        return self.get_response(request)

    def _has_nul(self, request: HttpRequest) -> bool:
        texts = [request.path, *(value for values in request.GET.lists() for value in values[1])]
        if request.method == "POST":
            texts += [value for values in request.POST.lists() for value in values[1]]
        return any("\0" in str(text) for text in texts)


class CallerMiddleware:
    """`request.caller` is the signed-in person as the gate knows them, or None; read when first asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.caller = SimpleLazyObject(lambda: _caller(request))  # type: ignore[attr-defined]  # ours
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()  # what a gate has set is this request's alone

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

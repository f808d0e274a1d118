"""Pages for what went wrong: what happened, why, what now."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.errors import (
    DomainError,
    Gone,
    Invalid,
    NotAllowed,
    NotFound,
    NotYet,
    OverQuota,
    Unauthenticated,
    WrongState,
)

STATUS: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    WrongState: 409,
    Gone: 410,
    Invalid: 422,
    OverQuota: 429,
    NotYet: 503,
}
TITLES = {
    401: "Sign in first",
    403: "Not for this account",
    404: "Nothing at this address",
    409: "That cannot be done now",
    410: "No longer here",
    422: "That cannot be used",
    429: "Used up",
    503: "Not there yet",
}


def status_of(refusal: DomainError) -> int:
    return next((status for family, status in STATUS.items() if isinstance(refusal, family)), 400)


def refusal_page(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    status = status_of(refusal)
    response = _page(request, status, TITLES.get(status, "That did not work"), refusal.sentence)
    if isinstance(refusal, NotYet):
        response["Retry-After"] = str(refusal.extra["retry_after"])
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        request, 400, "That request cannot be read", "Something in it is damaged. Go back and try again."
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403, TITLES[403], "Your account may not do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    sentence = "The page is too old, or your browser keeps no cookies for us. Open it again and retry."
    return _page(request, 403, "This page has grown old", sentence)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404, TITLES[404], "There is nothing here, or nothing that you may see.")


def server_error(request: HttpRequest) -> HttpResponse:
    sentence = "A fault of ours. Nothing of yours is lost. We have been told; please try again in a minute."
    response = render(
        request, "errors/plain.html", {"title": "We broke something", "sentence": sentence}, status=500
    )
    response["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    response = render(
        request, "errors/page.html", {"title": title, "sentence": sentence, "status": status}, status=status
    )
    response["Cache-Control"] = "no-store"
    return response

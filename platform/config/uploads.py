"""What each address takes, and what is answered to who sends more, or finds no place.

The limits hold before a body is read (`bodies`) and are said here in the words of the door: a page, or `/v1`'s body.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from allauth.core import ratelimit
from allauth.core.internal.ratelimit import parse_rates
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.http.cookie import parse_cookie
from django.http.response import HttpResponseBase
from starlette.datastructures import Headers

from access import gate
from api.errors import refusal_of
from api.middleware import problem
from config.bodies import REFUSAL, Door
from core import clock
from core.errors import DomainError, Invalid, OverQuota, Unauthenticated
from delivery import checking
from delivery.places import Places
from generation.services import traces
from portal.errors import refusal_page

SMALL: Final[int] = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
_FILES: Final[int] = settings.LARGEST_UPLOAD_BYTES
_FORM: Final = "multipart/form-data"
_WINDOW: Final = timedelta(  # after which an address has its whole allowance again
    seconds=max(rate.duration for rate in parse_rates(settings.ACCOUNT_RATE_LIMITS["check"]))
)
_CHECKS: Final = frozenset({"/check", "/v1/verify"})


@sync_to_async
def _check_traces(headers: Headers) -> None:
    """Raises Unauthenticated, NotAllowed: the few places of the office are for nobody else, members neither."""
    close_old_connections()
    request, cookies = HttpRequest(), parse_cookie(headers.get("cookie", ""))
    request.session = SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    user = get_user(request)
    if not user.is_authenticated or user.pk is None:
        raise Unauthenticated("not_signed_in", "Sign in first, then send the file again.")
    gate.check_may(gate.caller_for_user(user.pk), gate.Action.TRACE)


# At most 0.8 GB, 1 GB and 0.5 GB lie on the disk of a process, and once more while a form is taken apart.
_CHECK: Final = Door(SMALL + checking.MOST_BYTES, checking.TOO_LARGE, Places(4, each=1))
_TRACE: Final = Door(
    SMALL + traces.MOST_BYTES,
    traces.TOO_LARGE,
    Places(2, each=1),
    _check_traces,
    longest=900,  # who has signed in may send 500 MB over a line of 5 Mbit/s
)
_OTHER: Final = Door(
    SMALL + _FILES, f"The files of a form have at most {_FILES // 1000**2} MB together.", Places(8, each=4)
)
_PLAIN: Final = Door(SMALL, f"A form without a file has at most {SMALL // 1024} kB.", _OTHER.places)
_DOORS: Final = {**dict.fromkeys(_CHECKS, _CHECK), "/office/traces": _TRACE}


def door(path: str, content_type: str) -> Door:
    """Only a form that brings files may be large."""
    return _DOORS.get(path, _OTHER) if content_type.lower().startswith(_FORM) else _PLAIN


class UploadMiddleware:
    """Before anything takes a body apart, which copies its files once more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            _check_body(request)
            if request.method == "POST" and request.path_info in _CHECKS:
                return self._checked(request)
        except DomainError as refusal:
            return _refused(request, refusal)
        return self.get_response(request)

    def _checked(self, request: HttpRequest) -> HttpResponseBase:
        """A place is asked for first: who finds none has not used up any of their allowance."""
        with checking.place(request.META.get("REMOTE_ADDR", "")):
            _count(request)
            return self.get_response(request)


def _check_body(request: HttpRequest) -> None:
    """Raises Invalid (body_too_large), or why the body was not read. The views of `/v1` say a limit themselves."""
    if (refusal := request.META.get(REFUSAL)) is not None:
        raise refusal
    takes = door(request.path_info, request.META.get("CONTENT_TYPE", ""))
    if int(request.META.get("CONTENT_LENGTH") or 0) > takes.most and not _is_api(request):
        raise Invalid("body_too_large", takes.sentence)


def _count(request: HttpRequest) -> None:
    """Raises OverQuota: who checks files without end keeps others from it. IPv6 counts by its /64, as in `Places`."""
    if not ratelimit.consume(request, action="check"):
        now = clock.now()
        again = now + _WINDOW
        sentence = f"Many files were checked from your address. Go on in {clock.minutes_until(again, now)}."
        raise OverQuota("too_many_checks", sentence, resets_at=again.isoformat())


def _refused(request: HttpRequest, refusal: DomainError) -> HttpResponseBase:
    if _is_api(request) and (told := refusal_of(refusal)):
        return problem(told, getattr(request, "request_id", ""))
    return _page(request, refusal)


def _page(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    response = refusal_page(request, refusal)
    if refusal.code == "body_too_large":
        response.status_code = 413
    if isinstance(refusal, OverQuota):
        response["Retry-After"] = f"{_WINDOW.total_seconds():.0f}"
    return response


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/v1/")

"""One body for everything that is refused: RFC 9457 outside, the `error` object of OpenAI's format inside."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from api.problems import PROBLEMS
from core import clock
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

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
_STATUS: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    WrongState: 409,
    Gone: 410,
    OverQuota: 429,
    NotYet: 503,
    Invalid: 400,
}
_DJANGO: tuple[tuple[type[Exception], int], ...] = (
    (RequestDataTooBig, 413),
    (SuspiciousOperation, 400),
    (Http404, 404),
    (PermissionDenied, 403),
)
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    410: "gone_error",
    429: "quota_error",
}
_TITLES = {
    400: "The request cannot be used",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not possible now",
    410: "Gone",
    413: "Body too large",
    429: "Allowance used up",
    503: "Not available now",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that says no, before it is written down."""

    status: int
    code: str
    sentence: str
    param: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    retry: bool = False

    def body(self, request_id: str) -> dict[str, Any]:
        known = PROBLEMS.get(self.code)
        title = known.title if known else _TITLES.get(self.status, "Refused")
        kind = _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {
            **self.extra,
            "type": f"{settings.BASE_URL}/v1/problems/{self.code}",
            "title": title,
            "status": self.status,
            "detail": self.sentence,
            "instance": f"urn:request:{request_id}",
            "code": self.code,
            "error": {"message": self.sentence, "type": kind, "param": self.param, "code": self.code},
        }

    def all_headers(self) -> dict[str, str]:
        """`x-should-retry` keeps OpenAI's clients from asking again where the answer would be the same."""
        retry = {} if self.retry else {"x-should-retry": "false"}
        return {"Cache-Control": "no-store", **retry, **self.headers}


class Refused(Exception):
    """For what only this door knows: how a request must be written."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None for a fault of ours: Django logs it, the middleware answers."""
    refusal = refusal_of(exc)
    if refusal is None:
        return None
    request = context.get("request")
    request_id = getattr(getattr(request, "_request", request), "request_id", "")
    headers = refusal.all_headers()
    if refusal.status == 405:
        headers["Allow"] = ", ".join(getattr(context.get("view"), "allowed_methods", []))
    response = Response(
        refusal.body(request_id), status=refusal.status, headers=headers, content_type=CONTENT_TYPE
    )
    response.is_problem = True  # type: ignore[attr-defined]
    return response


def refusal_of(exc: Exception) -> Refusal | None:
    if isinstance(exc, DomainError):
        return _of_domain(exc)
    if isinstance(exc, Refused):
        return exc.refusal
    if isinstance(exc, exceptions.APIException):
        return _of_framework(exc)
    if isinstance(exc, OperationalError | InterfaceError):
        logger.error("the database does not answer", exc_info=exc)
        return of_status(503, {})
    return next((of_status(status, {}) for kind, status in _DJANGO if isinstance(exc, kind)), None)


def too_large(file: int = 0) -> Refusal:
    """`file`: bytes that a form may bring beside its fields, where the address takes one."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    more = f", and a form a file of {file // 1000**2} MB besides" if file else ""
    return Refusal(413, "body_too_large", f"A request has at most {limit // 1024} kB{more}.")


_KEPT = {"Allow", "Retry-After", "Content-Range", "Accept-Ranges"}
_SENTENCES = {
    403: ("not_allowed", "You may not do this."),
    404: ("no_such_address", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    416: ("range_not_satisfiable", "The range begins behind the end of the file."),
    503: ("unavailable", "A part of ours does not answer. Try again in a moment."),
}


def of_status(status: int, headers: Mapping[str, str]) -> Refusal:
    """For an answer that was made outside the views: by Django, or by something between it and the views."""
    kept = {name: value for name, value in headers.items() if name in _KEPT}
    ours = status >= 500
    if status == 413:
        return too_large()
    if status in _SENTENCES:
        code, sentence = _SENTENCES[status]
        return Refusal(status, code, sentence, headers=kept, retry=ours)
    if ours:
        return Refusal(
            500,
            "server_error",
            "A fault of ours. Try again; if it happens again, tell us the request id.",
            retry=True,
        )
    return Refusal(status, "bad_request", "The request cannot be read.", headers=kept)


def _of_domain(exc: DomainError) -> Refusal:
    status = next((code for family, code in _STATUS.items() if isinstance(exc, family)), 400)
    extra = {name: _plain(value) for name, value in exc.extra.items()}
    headers: dict[str, str] = {}
    param: str | None = None
    if isinstance(exc, Invalid):
        extra["fields"] = dict(exc.fields)
        param = next(iter(exc.fields), None)
    if status == _STATUS[Unauthenticated]:
        known = "" if exc.code == "token_missing" else ', error="invalid_token"'  # RFC 6750, 3.1
        headers["WWW-Authenticate"] = f'Bearer realm="Private View"{known}'
    if isinstance(exc, OverQuota) and (moment := _moment(exc.extra.get("resets_at"))):
        extra["resets_at"] = int(moment.timestamp())
        headers["Retry-After"] = str(max(1, round((moment - clock.now()).total_seconds())))
    if isinstance(exc, NotYet):
        headers["Retry-After"] = str(extra["retry_after"])
    return Refusal(status, exc.code, exc.sentence, param=param, extra=extra, headers=headers, retry=exc.retry)


def _of_framework(exc: exceptions.APIException) -> Refusal:
    if isinstance(exc, exceptions.ParseError):
        return Refusal(400, "malformed_body", str(exc.detail))
    if isinstance(exc, exceptions.NotAcceptable):
        return Refusal(
            406, "not_acceptable", "This address answers with JSON: send `Accept: application/json`."
        )
    if isinstance(exc, exceptions.UnsupportedMediaType):
        sentence = (
            "Send the body as application/json, multipart/form-data or application/x-www-form-urlencoded."
        )
        return Refusal(415, "unsupported_media_type", sentence)
    return of_status(exc.status_code, {})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset | tuple | list):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None

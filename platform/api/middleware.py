"""Every answer carries the id of its request; every refusal under /v1 has the one body, whoever made it."""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from api import errors

logger = logging.getLogger(__name__)

HEADER = "x-request-id"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,79}")


class RequestIdMiddleware:
    """First in the chain: what the others refuse passes through here on its way out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get(HEADER, "")
        request_id = sent if _SANE.fullmatch(sent) else f"req_{secrets.token_hex(12)}"
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        if response.status_code >= 400 and request.path_info.startswith("/v1/"):
            response = _as_problem(request, response, request_id)
        response.headers[HEADER] = request_id
        return response


def _as_problem(request: HttpRequest, response: HttpResponseBase, request_id: str) -> HttpResponseBase:
    """What a view refused has the body already; what Django or another middleware refused gets it here."""
    if getattr(response, "is_problem", False):
        return response
    if response.status_code >= 500:
        logger.error("%s %s failed; request id %s", request.method, request.path_info, request_id)
    refusal = errors.of_status(response.status_code, response.headers)
    response.close()
    return problem(refusal, request_id)


def problem(refusal: errors.Refusal, request_id: str) -> HttpResponse:
    """For refusals that no view has made."""
    response = HttpResponse(
        json.dumps(refusal.body(request_id)),
        status=refusal.status,
        content_type=errors.CONTENT_TYPE,
        headers=refusal.all_headers(),
    )
    response.is_problem = True  # type: ignore[attr-defined]
    return response

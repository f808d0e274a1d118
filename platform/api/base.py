"""What every view of `/v1` shares: who asks, how a body may come, and one way to answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, cast

from django.conf import settings
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.caller import Caller
from api.errors import Refusal, Refused, too_large
from api.inputs import Fields, Page, page
from api.negotiation import JsonNegotiation
from api.parsers import PlainFormParser, PlainMultiPartParser, StrictJSONParser
from core import clock

_CHARSETS = {"", "utf-8", "utf8", "us-ascii"}


class ApiView(APIView):
    """Parse, one call, serialize. Who may do what is asked of the gate, in each view's first line."""

    content_negotiation_class: type[BaseContentNegotiation] = JsonNegotiation
    parser_classes = [StrictJSONParser, PlainMultiPartParser, PlainFormParser]
    metadata_class = None
    http_method_names = ["get", "post", "delete", "head"]
    default_response_headers: dict[str, str] = {}
    largest_file = 0
    """Bytes of files that a form may bring beside its fields; none for most addresses."""

    @cached_property
    def caller(self) -> Caller:
        return cast("Caller", self.request.user)

    @cached_property
    def now(self) -> datetime:
        """One time for the whole request."""
        return clock.now()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        _check_body(request, self.largest_file)
        if request.method == "DELETE":
            self.no_fields()

    def fields(self) -> Fields:
        """The body, of whichever type."""
        return Fields(cast("Mapping[str, Any]", self.request.data))

    def no_fields(self) -> None:
        """For what takes no body: a field that is sent all the same is refused by name."""
        self.fields().check()

    def page(self, *others: str) -> Page:
        return page(self.request.query_params, *others)


def answer(
    body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Every answer is somebody's own: nothing on the way may keep it."""
    return Response(body, status=status, headers={"Cache-Control": "no-store", **(headers or {})})


def _check_body(request: Request, largest_file: int) -> None:
    """Before anything reads it: a length that is said and small enough, in an encoding that can be meant."""
    meta = request.META
    charset = request._request.content_params or {}
    if charset.get("charset", "").lower() not in _CHARSETS:
        raise Refused(Refusal(415, "unsupported_media_type", "Send text as UTF-8."))
    if "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise Refused(
            Refusal(411, "length_required", "Send the body's length (`Content-Length`), not chunks.")
        )
    if meta.get("HTTP_CONTENT_ENCODING", "identity").lower() not in {"", "identity"}:
        raise Refused(Refusal(415, "unsupported_media_type", "Send the body as it is, not compressed."))
    length = meta.get("CONTENT_LENGTH") or "0"
    if not length.isascii() or not length.isdigit():
        raise Refused(Refusal(400, "bad_request", "`Content-Length` is not a number."))
    is_form = (request._request.content_type or "") == "multipart/form-data"
    if int(length) > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) + (largest_file if is_form else 0):
        raise Refused(too_large(largest_file))

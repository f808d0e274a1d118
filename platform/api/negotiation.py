from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_USUAL = {"", "*/*", "application/json", "application/json, */*", "application/problem+json"}


class JsonNegotiation(DefaultContentNegotiation):
    """JSON, or 406 before anything is done. What clients usually send is not parsed at all."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        if request.META.get("HTTP_ACCEPT", "") in _USUAL:
            first = next(iter(renderers))
            return first, first.media_type
        chosen: tuple[Any, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen


class AnyNegotiation(BaseContentNegotiation):
    """For files: OpenAI's clients ask for `application/binary`, and mean whatever type the file has."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> None:
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        first = next(iter(renderers))
        return first, first.media_type

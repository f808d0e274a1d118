"""Bodies become one plain dictionary, whichever of the three ways they came; what is ambiguous is refused.

OpenAI's clients up to 2.26 send JSON and later ones multipart, in which everything arrives as a string.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from rest_framework import parsers
from rest_framework.exceptions import ParseError

_MOST_DIGITS = 1000  # a number that is longer than any field takes is refused with its field's name


class StrictJSONParser(parsers.JSONParser):
    """UTF-8 (RFC 8259), one object, each name once, no NaN; nesting is refused by depth, not by a crash."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            text = stream.read().decode("utf-8-sig")
            body = json.loads(
                text, object_pairs_hook=_once_each, parse_int=_whole, parse_constant=_no_constant
            )
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}"[:200]) from error
        if not isinstance(body, dict):
            raise ParseError("The body must be one JSON object.")
        return body


class PlainFormParser(parsers.FormParser):
    def parse(  # type: ignore[override]
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = stream.read()
        try:
            body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error
        return _plain(QueryDict(body, encoding="utf-8"))


class PlainMultiPartParser(parsers.MultiPartParser):
    """Files stay in the dictionary under their field's name, for the view to refuse by name."""

    def parse(  # type: ignore[override]
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            parsed = super().parse(stream, media_type, dict(parser_context or {}) | {"encoding": "utf-8"})
        except ParseError as error:
            raise ParseError(
                "The body is no form as multipart/form-data has it. Clients write it, and its boundary into "
                "Content-Type, by themselves."
            ) from error
        return _plain(parsed.data) | _plain(parsed.files)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            _twice(name)
        found[name] = value
    return found


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ParseError(f"A number in the body has {len(digits):,} digits. None here needs more than 18.")
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise ParseError(f"{name} is not JSON.")


def _twice(name: str) -> NoReturn:
    shown = name[:40].encode("ascii", "backslashreplace").decode()
    raise ParseError(f"“{shown}” is there more than once.")


def _plain(form: MultiValueDict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, values in form.lists():
        if len(values) != 1:
            _twice(name)
        # Django replaces what it cannot decode.
        if isinstance(values[0], str) and "\ufffd" in values[0] + name:
            raise ParseError("The body is not UTF-8.")
        found[name] = values[0]
    return found

"""Single byte ranges of RFC 9110, section 14. Several ranges at once are answered with the whole file, as it allows."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SINGLE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class Unsatisfiable(Exception):
    """The range begins behind the end of the file."""


def parse(header: str | None, size: int) -> Span | None:
    """The range asked for, cut to the file; None when there is none or it cannot be read. Raises Unsatisfiable."""
    found = _SINGLE.fullmatch(header.strip()) if header else None
    if found is None or found[0].endswith("=-"):
        return None
    first, last = found[1], found[2]
    if not first:
        return _suffix(int(last), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return Span(int(first), min(int(last), size - 1) if last else size - 1)


def begins_at_start(header: str | None, size: int) -> bool:
    """Whether the answer to such a request holds the file's first byte."""
    try:
        span = parse(header, size)
    except Unsatisfiable:
        return False
    return span is None or span.first == 0


def _suffix(length: int, size: int) -> Span:
    if length == 0 or size == 0:
        raise Unsatisfiable
    return Span(max(0, size - length), size - 1)

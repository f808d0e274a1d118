"""Times as the house says them. Nothing here reads a clock."""

from __future__ import annotations

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def span(length: timedelta) -> str:
    """`45 s`, `12 min`, `1 h 19 min`, `26 h`, `3 days`: as exact as somebody who waits needs it."""
    seconds = int(length.total_seconds())
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    hours, minutes = divmod(seconds // _MINUTE, 60)
    if hours < 4 and minutes:
        return f"{hours} h {minutes} min"
    if seconds < 3 * _DAY:
        return f"{hours} h"
    return f"{seconds // _DAY} days"


def due(at: datetime, now: datetime) -> str:
    return f"in {span(at - now)}" if at >= now else f"{span(now - at)} late"


def left(seconds: float) -> str:
    """`11:24`, minutes and seconds."""
    whole = max(0, round(seconds))
    return f"{whole // 60:02d}:{whole % 60:02d}"


def counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"

"""The lease as the page shows it, and as its script is told when activity has prolonged it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime

from portal.desk import words
from review.queries import LeaseView
from review.rules import LEASE


@dataclass(frozen=True, slots=True)
class LeaseClock:
    """`left` and `full` in seconds; `last` when no activity prolongs it any more."""

    left: int
    full: int
    shown: str
    until: str
    last: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def lease_clock(lease: LeaseView, now: datetime) -> LeaseClock:
    left = max(0, int((lease.expires_at - now).total_seconds()))
    last = lease.expires_at >= lease.limit_at
    until = f"yours until {localtime(lease.expires_at):%H:%M}"
    return LeaseClock(
        left=left,
        full=int(LEASE.total_seconds()),
        shown=words.left(left),
        until=f"{until}, the end of your 45 min" if last else until,
        last=last,
    )

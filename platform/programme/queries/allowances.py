"""What is left of a member's day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core import clock
from core.errors import NotFound
from programme.models import Membership, QuotaAllowance


@dataclass(frozen=True, slots=True)
class QuotaView:
    """Seconds of clip. `resets_at` is midnight of the programme's time zone."""

    limit: int
    reserved: int
    used: int
    left: int
    resets_at: datetime


def quota_today(membership_id: int, now: datetime) -> QuotaView:
    """The allowance of the day on which `now` falls for the programme. Two queries. NotFound without a member."""
    found = (
        Membership.objects.filter(id=membership_id)
        .values_list("programme__timezone", "cohort__daily_seconds")
        .first()
    )
    if found is None:
        raise NotFound("not_found", "There is no such member.")
    zone, daily = found
    day = clock.day_in(zone, now)
    row = (
        QuotaAllowance.objects.filter(membership_id=membership_id, day=day)
        .values_list("limit_seconds", "reserved", "used")
        .first()
    )
    limit, reserved, used = row or (daily, 0, 0)
    return QuotaView(limit, reserved, used, limit - reserved - used, clock.next_midnight(zone, now))

"""The one place that asks what time it is. Doors and tasks call it once and hand the time on."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    return datetime.now(tz=UTC)


def day_in(zone: str, moment: datetime) -> date:
    """The calendar day on which `moment` falls in `zone`."""
    return moment.astimezone(ZoneInfo(zone)).date()


def next_midnight(zone: str, moment: datetime) -> datetime:
    """The end of that day in `zone`; right on the days on which the clocks change, too."""
    tz = ZoneInfo(zone)
    tomorrow = moment.astimezone(tz).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=tz)


def minutes_until(moment: datetime, now: datetime) -> str:
    """In words: "1 minute" at least, "5 minutes"."""
    minutes = max(1, math.ceil((moment - now).total_seconds() / 60))
    return f"{minutes} minute{'' if minutes == 1 else 's'}"

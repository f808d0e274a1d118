"""Time in tests: an argument for services, a stopped clock for doors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday, far from midnight and from the days on which clocks change in any usual zone."""


@pytest.fixture
def now() -> datetime:
    """The time to hand to services. Nothing is stopped: doors still see the real time."""
    return NOON


@pytest.fixture
def stopped_clock(now: datetime) -> Iterator[time_machine.Traveller]:
    """Doors, and whatever else asks for the time in this process, see `now` until the test calls `shift`."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller

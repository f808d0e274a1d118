"""How the desk says times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.desk import words

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=0), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=1, minutes=19), "1 h 19 min"),
        (timedelta(hours=3, minutes=59), "3 h 59 min"),
        (timedelta(hours=4, minutes=1), "4 h"),
        (timedelta(hours=71, minutes=59), "71 h"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_a_span_is_as_exact_as_somebody_who_waits_needs_it(length: timedelta, said: str) -> None:
    assert words.span(length) == said


def test_what_is_due_is_ahead_or_late() -> None:
    assert words.due(NOW + timedelta(minutes=79), NOW) == "in 1 h 19 min"
    assert words.due(NOW - timedelta(minutes=5), NOW) == "5 min late"


@pytest.mark.parametrize(("seconds", "said"), [(900, "15:00"), (684, "11:24"), (9, "00:09"), (-3, "00:00")])
def test_a_lease_clock_counts_minutes_and_seconds(seconds: float, said: str) -> None:
    assert words.left(seconds) == said


def test_one_is_one_and_two_are_many() -> None:
    assert words.counted(1, "case is late", "cases are late") == "1 case is late"
    assert words.counted(2, "case is late", "cases are late") == "2 cases are late"

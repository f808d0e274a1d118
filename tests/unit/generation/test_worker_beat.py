"""A lease is kept while its work goes on, and the work hears of it when it is lost."""

from __future__ import annotations

import time

import pytest
from django.db import OperationalError

from generation.worker.beat import Beat
from generation.worker.leaving import leaving


class Lease:
    """Counts how often it was prolonged; says and does what the test wants."""

    def __init__(self) -> None:
        self.asked, self.ours, self.away = 0, True, False

    def prolong(self) -> bool:
        self.asked += 1
        if self.away:
            raise OperationalError("the database is away")
        return self.ours


def test_prolongs_when_it_is_time_and_not_before() -> None:
    lease = Lease()
    beat = Beat(lease.prolong, every=0.05)
    beat.keep()
    assert lease.asked == 0
    time.sleep(0.06)
    beat.keep()
    beat.keep()
    assert (lease.asked, beat.stopped()) == (1, False)


def test_work_whose_lease_is_lost_is_stopped_and_asks_for_it_no_more() -> None:
    lease = Lease()
    beat = Beat(lease.prolong, every=0)
    lease.ours = False
    beat.keep()
    assert beat.stopped()
    lease.ours = True
    beat.keep()
    assert (lease.asked, beat.stopped()) == (1, True)


def test_a_database_that_is_away_is_asked_again_the_next_time() -> None:
    lease = Lease()
    beat = Beat(lease.prolong, every=0.05)
    time.sleep(0.06)
    lease.away = True
    with pytest.raises(OperationalError):
        beat.keep()
    lease.away = False
    beat.keep()
    assert (lease.asked, beat.stopped()) == (2, False)


def test_work_that_takes_too_long_loses_its_lease() -> None:
    lease = Lease()
    beat = Beat(lease.prolong, every=0, longest=0)
    time.sleep(0.01)
    beat.keep()
    assert (lease.asked, beat.stopped()) == (0, True)


def test_work_stops_when_the_worker_has_to_leave() -> None:
    beat = Beat(Lease().prolong, every=60)
    assert not beat.stopped()
    leaving.note(at_once=True)
    try:
        time.sleep(0.01)
        assert beat.stopped()
    finally:
        leaving.forget()

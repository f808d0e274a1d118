"""Whose turn it is, decided by PostgreSQL: inside a queue the members take turns, whoever asked for how much."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from access.caller import Caller
from generation.models import Attempt, ModelVariant, QueueShare, Video
from generation.services import lifecycle, requests
from generation.states import VideoState
from programme.models import Cohort
from programme.queries import ProgrammeView
from tests.factories import people
from tests.factories.generation import queued_video

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def cohort_id(programme: ProgrammeView, now: datetime) -> int:
    return people.cohort(programme.id, now, daily_seconds=50_000)


def _burst(caller: Caller, now: datetime, count: int, *, seconds: int = 2, variant: str = "turbo-1") -> None:
    for _ in range(count):
        queued_video(caller, now, seconds=seconds, variant=variant)


def _member(caller: Caller) -> int:
    assert caller.membership is not None
    return caller.membership.id


def _served(now: datetime, lanes: str | tuple[str, ...] = "turbo") -> Iterator[Video]:
    """The videos of a queue in the order in which workers get them."""
    while held := lifecycle.claim_next(lane=lanes, worker="w", now=now):
        yield Video.objects.select_related("variant").get(pk=held.video_id)


def test_of_three_members_with_fifty_jobs_each_nobody_waits_more_than_their_share_and_one(
    cohort_id: int, now: datetime
) -> None:
    members = [people.artist(cohort_id, now) for _ in range(3)]
    for number, caller in enumerate(members):
        _burst(caller, now + number * SECOND, 50)

    had: Counter[int] = Counter()
    order: dict[int, list[int]] = {_member(caller): [] for caller in members}
    for count, video in enumerate(_served(now), start=1):
        had[video.membership_id] += 1
        order[video.membership_id].append(video.pk)
        assert all(abs(had[_member(caller)] - count / 3) < 1 for caller in members), (count, had)

    assert sum(had.values()) == 150
    assert all(ids == sorted(ids) for ids in order.values()), "inside a member, first come is first served"


def test_a_burst_of_two_hundred_does_not_hold_up_anothers_first(
    artist: Caller, other_artist: Caller, now: datetime
) -> None:
    _burst(artist, now, 200)
    taken = _served(now)
    for _ in range(40):
        next(taken)
    queued_video(other_artist, now + SECOND, seconds=2)

    assert next(taken).membership_id == _member(other_artist)


def test_a_cohort_of_weight_three_gets_three_times_as_much(
    programme: ProgrammeView, artist: Caller, now: datetime
) -> None:
    heavy_id = people.cohort(programme.id, now, daily_seconds=50_000)
    Cohort.objects.filter(pk=heavy_id).update(queue_weight=3)
    heavy = people.artist(heavy_id, now)
    _burst(artist, now, 40)
    _burst(heavy, now, 40)

    first = [next(taken).membership_id for taken in [_served(now)] for _ in range(40)]

    assert Counter(first) == {_member(artist): 10, _member(heavy): 30}


def test_a_long_clip_counts_for_its_length(artist: Caller, other_artist: Caller, now: datetime) -> None:
    _burst(artist, now, 5, seconds=8)
    _burst(other_artist, now, 20, seconds=2)

    had = Counter(video.membership_id for video, _ in zip(_served(now), range(15), strict=False))

    assert had == {_member(artist): 3, _member(other_artist): 12}


def test_who_comes_back_from_idle_has_saved_up_nothing(
    artist: Caller, other_artist: Caller, now: datetime
) -> None:
    _burst(artist, now, 40)
    taken = _served(now)
    for _ in range(20):
        next(taken)
    _burst(other_artist, now, 20)

    had = Counter(next(taken).membership_id for _ in range(10))

    assert had == {_member(artist): 5, _member(other_artist): 5}


def test_a_retry_comes_first_and_is_not_charged_twice(
    artist: Caller, other_artist: Caller, now: datetime
) -> None:
    _burst(artist, now, 3)
    _burst(other_artist, now, 3)
    held = lifecycle.claim_next(lane="turbo", worker="w", now=now)
    assert held is not None
    share = QueueShare.objects.values_list("membership_id", "started", "served").get()
    lifecycle.claim_next(lane="turbo", worker="w", now=now)
    lifecycle.hand_back(claim=held, now=now)

    again = lifecycle.claim_next(lane="turbo", worker="w", now=now)

    assert again is not None
    assert (again.video, again.attempt) == (held.video, 2)
    assert share in QueueShare.objects.values_list("membership_id", "started", "served")


def test_what_waits_for_its_back_off_holds_up_nobody(artist: Caller, now: datetime) -> None:
    first, second = (queued_video(artist, now + n * SECOND, seconds=2) for n in range(2))
    held = lifecycle.claim_next(lane="turbo", worker="w", now=now)
    assert held is not None
    lifecycle.fail(claim=held, error="disk is full", transient=True, now=now)

    assert [video.public_id for video in _served(now)] == [second]
    assert [video.public_id for video in _served(now + 30 * SECOND)] == [first]


def test_of_several_queues_the_higher_priority_comes_first_and_equals_take_turns(
    artist: Caller, now: datetime
) -> None:
    _burst(artist, now, 4, variant="turbo-1")
    _burst(artist, now, 4, variant="full-1")
    both = _served(now, ("full", "turbo"))
    assert {next(both).variant.queue for _ in range(2)} == {"full", "turbo"}

    ModelVariant.objects.filter(slug="full-1").update(priority=5)

    assert [video.variant.queue for video in both] == ["full"] * 3 + ["turbo"] * 3


def test_the_next_worker_is_woken_while_more_waits(
    artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr("generation.services.queueing.wake", woken.append)
    _burst(artist, now, 2)

    lifecycle.claim_next(lane="turbo", worker="w", now=now)
    assert woken == ["turbo"]
    lifecycle.claim_next(lane="turbo", worker="w", now=now)
    assert woken == ["turbo"]


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_take_each_video_once_and_charge_each_member_exactly(
    cohort_id: int, now: datetime
) -> None:
    members = [people.artist(cohort_id, now) for _ in range(3)]
    for caller in members:
        _burst(caller, now, 16)
    taken: list[str] = []
    faults: list[BaseException] = []

    def work(lanes: tuple[str, ...]) -> None:
        try:
            while held := lifecycle.claim_next(lane=lanes, worker="w", now=now):
                taken.append(held.video)
        except BaseException as fault:  # noqa: BLE001 - told below
            faults.append(fault)
        finally:
            connection.close()

    lanes = [("turbo", "full"), ("full", "turbo"), ("turbo",)]
    threads = [threading.Thread(target=work, args=(lanes[n % 3],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not faults
    assert len(taken) == len(set(taken)) == Video.objects.filter(state=VideoState.IN_PROGRESS).count() == 48
    assert Attempt.objects.count() == 48
    assert list(QueueShare.objects.values_list("served", flat=True)) == [32.0, 32.0, 32.0]


@pytest.mark.django_db(transaction=True)
def test_a_worker_does_not_go_away_while_what_is_next_is_being_stopped(artist: Caller, now: datetime) -> None:
    """Its row is locked, and the one behind it is not among the heads of the members."""
    first, second = (queued_video(artist, now + n * SECOND, seconds=2) for n in range(2))
    locked, done = threading.Event(), threading.Event()

    def stop() -> None:
        try:
            with transaction.atomic():
                requests.cancel(video=first, membership_id=_member(artist), by=artist.actor, now=now)
                locked.set()
                done.wait(0.02)
        finally:
            connection.close()

    thread = threading.Thread(target=stop)
    thread.start()
    locked.wait()
    held = lifecycle.claim_next(lane="turbo", worker="w", now=now)
    thread.join()

    assert held is not None
    assert held.video == second

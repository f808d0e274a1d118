"""What a queued video is told: the order in which the queue is really served, and seconds that were measured."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from pytest_django.fixtures import DjangoAssertNumQueries

from access.caller import Caller
from generation import queries, status
from generation.models import ModelVariant, Pace, Video
from generation.queries.waiting import calibration
from generation.services import queueing, workers
from generation.states import VideoState
from tests.factories.generation import claim, completed_video, finish, queued_takes, queued_video

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _at_this_time(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


def _worker(now: datetime, name: str = "w", *lanes: str, kind: str = "") -> None:
    workers.report(name=name, lanes=lanes or ["turbo"], held=[{"kind": kind}], now=now)


def _told(video: str, caller: Caller) -> tuple[int | None, int | None]:
    """Place and seconds: the same for pages and for clients."""
    assert caller.membership is not None
    clip, row = queries.clip(video), status.status(video, caller.membership.id)
    assert clip is not None
    assert row is not None
    place = queries.waiting(clip)
    listed = {other.public_id: other for other in status.statuses(caller.membership.id, limit=50) or []}
    assert (listed[video].position, listed[video].wait) == (row.position, row.wait)
    assert (place and place.position, place and place.seconds) == (row.position, row.wait)
    return row.position, row.wait


def _rendered_in(milliseconds: int, *, width: int = 1280, height: int = 720, seconds: int = 4) -> None:
    variant = ModelVariant.objects.get(slug="turbo-1")
    Pace.objects.create(
        variant=variant,
        width=width,
        height=height,
        seconds=seconds,
        latest=[milliseconds],
        median=milliseconds,
    )


def test_the_places_are_those_in_which_the_queue_is_served(
    artist: Caller, other_artist: Caller, now: datetime
) -> None:
    mine = [queued_video(artist, now + n * SECOND) for n in range(4)]
    theirs = [queued_video(other_artist, now + (10 + n) * SECOND) for n in range(2)]
    told = {_told(video, artist)[0]: video for video in mine}
    told |= {_told(video, other_artist)[0]: video for video in theirs}

    served = [claim(now).video for _ in range(6)]

    assert [told[place] for place in range(1, 7)] == served


def test_nothing_is_promised_before_anything_was_measured_or_while_no_worker_is_there(
    artist: Caller, now: datetime
) -> None:
    queued_video(artist, now)
    video = queued_video(artist, now)
    assert _told(video, artist) == (2, None)
    _worker(now)
    assert _told(video, artist) == (2, None)

    _rendered_in(10_000)
    assert _told(video, artist) == (2, 10)

    workers.stopped(name="w", now=now)
    assert _told(video, artist) == (2, None)


def test_a_worker_that_was_not_seen_for_a_minute_does_not_count(artist: Caller, now: datetime) -> None:
    _rendered_in(10_000)
    queued_video(artist, now)
    video = queued_video(artist, now)
    _worker(now, "a")
    _worker(now - 61 * SECOND, "b")

    assert _told(video, artist) == (2, 10)


def test_two_workers_halve_the_wait_and_a_free_one_ends_it(artist: Caller, now: datetime) -> None:
    _rendered_in(10_000)
    _worker(now, "a")
    videos = [queued_video(artist, now) for _ in range(4)]
    assert [_told(video, artist)[1] for video in videos] == [0, 10, 20, 30]

    _worker(now, "b")

    assert [_told(video, artist)[1] for video in videos] == [0, 0, 10, 15]


def test_what_is_in_work_counts_with_what_is_left_of_it(artist: Caller, now: datetime) -> None:
    _rendered_in(10_000)
    _worker(now)
    queued_video(artist, now)
    video = queued_video(artist, now)
    claim(now - 4 * SECOND)

    assert _told(video, artist) == (1, 6)


def test_a_size_that_was_never_measured_is_told_from_its_pixels_and_length(
    artist: Caller, now: datetime
) -> None:
    _rendered_in(8_000, width=1280, height=720, seconds=4)
    _worker(now)
    queued_video(artist, now, size="640x360", seconds=8)
    video = queued_video(artist, now)

    assert _told(video, artist) == (2, 4)


def test_paces_of_another_kind_of_worker_do_not_count_once_this_kind_was_measured(
    artist: Caller, now: datetime
) -> None:
    _rendered_in(90_000)
    _worker(now, kind="fast")
    queued_video(artist, now)
    video = queued_video(artist, now)
    assert _told(video, artist) == (2, 90)

    Pace.objects.create(
        variant=ModelVariant.objects.get(slug="turbo-1"), kind="fast", width=1280, height=720, seconds=4,
        latest=[2_000], median=2_000,
    )  # fmt: skip

    assert _told(video, artist) == (2, 2)


def test_what_waits_in_a_more_urgent_queue_of_the_same_worker_counts(
    artist: Caller, other_artist: Caller, now: datetime
) -> None:
    _rendered_in(10_000)
    full = ModelVariant.objects.get(slug="full-1")
    Pace.objects.create(variant=full, width=1280, height=720, seconds=4, latest=[60_000], median=60_000)
    _worker(now, "w", "turbo", "full")
    for _ in range(2):
        queued_video(artist, now, variant="full-1")
    queued_video(other_artist, now)
    video = queued_video(other_artist, now)
    assert _told(video, other_artist) == (2, 20), "one of theirs, and as much of the other queue in turns"

    ModelVariant.objects.filter(pk=full.pk).update(priority=3)

    assert _told(video, other_artist) == (2, 130)


def test_the_pace_is_the_median_of_the_latest_twenty(artist: Caller, now: datetime) -> None:
    for _ in range(3):
        completed_video(artist, now, seconds=2)
    pace = Pace.objects.get()
    assert (pace.median, pace.latest) == (2500, [2500] * 3)

    Pace.objects.update(latest=[1, *[9000] * 30])
    completed_video(artist, now, seconds=2)

    pace.refresh_from_db()
    assert (pace.median, len(pace.latest)) == (9000, 20)


def test_who_asks_now_is_told_what_they_would_meet(
    artist: Caller, other_artist: Caller, now: datetime
) -> None:
    assert artist.membership is not None
    variant = ModelVariant.objects.get(slug="turbo-1").pk
    _rendered_in(10_000)
    _worker(now)
    assert queries.ahead(variant) == queries.Waiting(position=1, seconds=0)
    for _ in range(5):
        queued_video(artist, now - SECOND)

    newcomer, regular = queries.ahead(variant), queries.ahead(variant, artist.membership.id)

    assert newcomer == queries.Waiting(position=2, seconds=10)
    assert regular == queries.Waiting(position=6, seconds=50)


def test_what_was_told_is_kept_and_held_against_what_came(artist: Caller, now: datetime) -> None:
    _rendered_in(10_000)
    _worker(now)
    for video in queued_takes(artist, now, takes=2):
        held = claim(now)
        assert held.video == video
        assert finish(held, now + 30 * SECOND)

    told = calibration()

    assert [(row.predicted, row.true) for row in told] == [(10.0, 30.0), (20.0, 30.0)]


@pytest.mark.parametrize("state", [VideoState.QUEUED, VideoState.IN_PROGRESS, VideoState.COMPLETED])
def test_a_status_is_one_statement(
    artist: Caller, now: datetime, state: VideoState, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert artist.membership is not None
    video = queued_video(artist, now)
    if state != VideoState.QUEUED:
        held = claim(now)
        assert state == VideoState.IN_PROGRESS or finish(held, now)

    with django_assert_num_queries(1):
        row = status.status(video, artist.membership.id)
    with django_assert_num_queries(1):
        status.statuses(artist.membership.id, limit=20)

    assert row is not None
    assert row.state == state
    assert Video.objects.count() == 1


def test_a_deep_queue_is_told_from_a_copy_of_its_line(artist: Caller, now: datetime) -> None:
    _rendered_in(10_000)
    _worker(now)
    videos = [queued_video(artist, now) for _ in range(3)]
    assert queueing.copy_deep_lines(now=now) == []
    assert queueing.copy_deep_lines(now=now, deep=2) == ["turbo"]
    claim(now)
    assert [_told(video, artist)[0] for video in videos[1:]] == [2, 3], "as it was when it was copied"

    queueing.copy_deep_lines(now=now, deep=2)

    assert [_told(video, artist) for video in videos[1:]] == [(1, 10), (2, 20)]

"""Several takes as one request: all or none of them, each a clip of its own afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.caller import Caller
from audit.models import AuditEvent
from core.errors import Invalid, NotFound, OverQuota, WrongState
from generation import queries, status
from generation.models import Video
from generation.rules import LARGEST_SEED, MOST_TAKES
from generation.services import clips, requests
from generation.states import VideoState
from programme.queries import quota_today
from tests.factories.generation import claim, finish, queued_takes, queued_video, video_at
from tests.factories.looks import unchanged
from tests.rig.sent import Sent

pytestmark = pytest.mark.django_db


def _member(caller: Caller) -> int:
    assert caller.membership is not None
    return caller.membership.id


def _request(video: str) -> str:
    clip = queries.clip(video)
    assert clip is not None
    return clip.request


@pytest.mark.django_db(transaction=True)
def test_takes_are_one_request_one_audit_event_and_one_message(
    artist: Caller, now: datetime, sent_tasks: Sent
) -> None:
    before = AuditEvent.objects.count()

    made = queued_takes(artist, now, takes=8, seed=LARGEST_SEED - 2, seconds=2)

    found = queries.takes(_request(made[0]), _member(artist))
    assert [clip.public_id for clip in found] == list(made)
    assert [clip.take for clip in found] == list(range(1, 9))
    assert {clip.takes for clip in found} == {8}
    assert [clip.seed for clip in found] == [LARGEST_SEED - 2, LARGEST_SEED - 1, LARGEST_SEED, 0, 1, 2, 3, 4]
    assert len({clip.code for clip in found}) == 8
    assert quota_today(_member(artist), now).reserved == 16
    assert AuditEvent.objects.count() == before + 1
    event = AuditEvent.objects.latest("seq")
    assert (event.target, event.data["takes"]) == (found[0].request, list(made))
    assert [task.name for task in sent_tasks].count("generation.wake") == 1


def test_the_same_order_gives_the_same_takes(artist: Caller, now: datetime) -> None:
    first, second = (
        [clip.seed for clip in queries.takes(_request(made[0]), _member(artist))]
        for made in (queued_takes(artist, now, takes=4, seed=9) for _ in range(2))
    )

    assert first == second == [9, 10, 11, 12]


def test_asking_for_sixteen_costs_as_many_statements_as_asking_for_one(artist: Caller, now: datetime) -> None:
    queued_video(artist, now, seconds=2)  # the day's allowance is open
    with CaptureQueriesContext(connection) as one:
        queued_video(artist, now, seconds=2)

    with CaptureQueriesContext(connection) as sixteen:
        queued_takes(artist, now, takes=MOST_TAKES, seconds=2)

    assert len(sixteen) == len(one)


@pytest.mark.parametrize("takes", [0, -1, 17, 10_000])
def test_refuses_less_than_one_take_and_more_than_sixteen(artist: Caller, now: datetime, takes: int) -> None:
    with unchanged(), pytest.raises(Invalid) as refusal:
        queued_takes(artist, now, takes=takes)

    assert list(refusal.value.fields) == ["takes"]


def test_refuses_all_takes_where_the_day_has_room_for_some_and_says_for_how_many(
    artist: Caller, now: datetime
) -> None:
    left = quota_today(_member(artist), now).left
    queued_takes(artist, now, takes=(left - 40) // 10, seconds=10)

    with unchanged(), pytest.raises(OverQuota) as refusal:
        queued_takes(artist, now, takes=5, seconds=12)

    assert refusal.value.extra["affordable"] == 3
    assert "enough for 3 takes" in refusal.value.sentence


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_the_day_pays_for_one_whole(artist: Caller, now: datetime) -> None:
    left = quota_today(_member(artist), now).left
    seconds = 10
    takes = left // seconds
    assert 1 < takes <= MOST_TAKES
    start = threading.Barrier(2)
    ends: list[str] = []

    def ask() -> None:
        start.wait()
        try:
            ends.append(f"{len(queued_takes(artist, now, takes=takes, seconds=seconds))} takes")
        except OverQuota as refusal:
            ends.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ends) == [f"{takes} takes", "quota_exhausted"]
    assert Video.objects.count() == takes
    assert Video.objects.values("request").distinct().count() == 1


def test_stopping_a_request_stops_what_has_not_ended_and_gives_its_quota_back(
    artist: Caller, now: datetime
) -> None:
    first, second, third = queued_takes(artist, now, takes=3, seconds=4)
    done = claim(now)
    assert done.video == first
    finish(done, now)
    running = claim(now)
    assert running.video == second
    events = AuditEvent.objects.count()

    stopped = requests.cancel_request(
        request=_request(first), membership_id=_member(artist), by=artist.actor, now=now
    )

    assert stopped == 2
    states = [clip.state for clip in queries.takes(_request(first), _member(artist))]
    assert states == [VideoState.COMPLETED, VideoState.CANCELLED, VideoState.CANCELLED]
    quota = quota_today(_member(artist), now)
    assert (quota.used, quota.reserved) == (4, 0)
    assert not finish(running, now)
    assert AuditEvent.objects.count() == events + 1
    assert AuditEvent.objects.latest("seq").data == {"takes": [second, third]}


def test_a_request_that_has_ended_cannot_be_stopped(artist: Caller, now: datetime) -> None:
    video = video_at(VideoState.COMPLETED, artist, now)

    with unchanged(), pytest.raises(WrongState) as refusal:
        requests.cancel_request(
            request=_request(video), membership_id=_member(artist), by=artist.actor, now=now
        )

    assert refusal.value.code == "already_ended"


def test_nobody_stops_anothers_request_or_one_that_is_not_there(
    artist: Caller, other_artist: Caller, now: datetime
) -> None:
    request = _request(queued_video(artist, now))

    for named in (request, "req_none"):
        with unchanged(), pytest.raises(NotFound):
            requests.cancel_request(
                request=named, membership_id=_member(other_artist), by=other_artist.actor, now=now
            )


def test_deleting_one_take_leaves_the_others_their_numbers(artist: Caller, now: datetime) -> None:
    first, second, third = queued_takes(artist, now, takes=3)

    clips.delete(video=second, by=artist.actor, now=now)

    left = queries.takes(_request(first), _member(artist))
    assert [(clip.public_id, clip.take, clip.takes, clip.state) for clip in left] == [
        (first, 1, 3, VideoState.QUEUED),
        (third, 3, 3, VideoState.QUEUED),
    ]


def _status(video: str, caller: Caller) -> object:
    return status.status(video, _member(caller))


def _takes(video: str, caller: Caller) -> object:
    return queries.takes(_request(video), _member(caller))


def _wall(_: str, caller: Caller) -> object:
    return queries.clips_of(_member(caller), limit=50)


@pytest.mark.parametrize(("read", "statements"), [(_status, 1), (_takes, 3), (_wall, 2)])
def test_reading_takes_costs_a_fixed_number_of_statements(
    artist: Caller, now: datetime, read: Callable[[str, Caller], object], statements: int
) -> None:
    made = queued_takes(artist, now, takes=6)
    for _ in made:
        finish(claim(now), now)

    with CaptureQueriesContext(connection) as seen:
        assert read(made[0], artist)

    assert len(seen) == statements + (read is _takes)  # `_request` reads a clip first


def test_a_status_tells_its_take_and_what_it_was_made_from(artist: Caller, now: datetime) -> None:
    _, second = queued_takes(artist, now, takes=2, negative_prompt="blur")

    found = status.status(second, _member(artist))

    assert found is not None
    assert (found.request, found.take, found.takes) == (_request(second), 2, 2)
    assert (found.negative_prompt, found.ignored_words, found.relation) == ("blur", [], "")
    assert (found.style, found.source, found.reference, found.windows) == (None, None, None, None)
    assert not found.starred
    assert not found.discarded
    assert Video.objects.filter(request=found.request).count() == 2

"""Takes of one request go through one forward where the backend has room; each is finished by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.db.models import F

from access.caller import Caller
from core import clock
from generation import queries
from generation.backends.null import NullBackend
from generation.models import Attempt, QueueShare, Video
from generation.services import lifecycle, requests
from generation.spec import Cancelled, Frames, Progress, RenderSpec
from generation.states import AttemptEnd, Relation, VideoState
from generation.worker import pulse, run
from generation.worker.held import Held
from tests.factories.generation import queued_takes, queued_video

pytestmark = pytest.mark.django_db(transaction=True)


class Recording(NullBackend):
    """Notes what went through it, and lets a test meddle between two steps."""

    def __init__(self, room: int = 4) -> None:
        super().__init__()
        self.room = room
        self.forwards: list[list[int]] = []
        self.at_step: dict[int, object] = {}

    def at_once(self, spec: RenderSpec) -> int:
        return self.room

    def render(
        self, takes: Sequence[RenderSpec], *, progress: Progress, cancelled: Cancelled
    ) -> list[Frames]:
        self.forwards.append([take.seed for take in takes])

        def meddle(done: int, total: int) -> None:
            act = self.at_step.pop(done, None)
            if callable(act):
                act()
            progress(done, total)

        made = super().render(takes, progress=meddle, cancelled=cancelled)
        return [_tinted(frames, place) for place, frames in enumerate(made)]


def _tinted(frames: Frames, place: int) -> Frames:
    """As real sums do, the bits show where in its forward a take was."""
    return replace(frames, images=(np.clip(image, 20, 200) + place for image in frames.images))


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Recording:
    recording = Recording()
    monkeypatch.setattr("generation.worker.shelf.backend_of", lambda _claim: recording)
    monkeypatch.setattr("generation.worker.held._GLANCE", 0.0)
    return recording


def _stop(caller: Caller, *videos: str) -> None:
    assert caller.membership is not None
    for video in videos:
        requests.cancel(video=video, membership_id=caller.membership.id, by=caller.actor, now=clock.now())


def _states(videos: Sequence[str]) -> list[str]:
    states = dict(Video.objects.values_list("public_id", "state"))
    return [states[video] for video in videos]


def _takes(caller: Caller, count: int) -> tuple[str, ...]:
    return queued_takes(caller, clock.now(), takes=count, seed=7, seconds=2, size="640x360")


def test_takes_of_one_request_share_a_forward_as_far_as_there_is_room(
    artist: Caller, other_artist: Caller, backend: Recording
) -> None:
    mine = _takes(artist, 6)
    theirs = queued_video(other_artist, clock.now(), seed=90, seconds=2, size="640x360")

    assert run.drain("turbo") == 7

    assert sorted(map(sorted, backend.forwards)) == [[7, 8, 9, 10], [11, 12], [90]]
    assert backend.forwards[1] == [90], "the member who asked for more does not come twice"
    assert _states([*mine, theirs]) == [VideoState.COMPLETED] * 7
    assert sorted(Attempt.objects.values_list("batch", flat=True)) == [1, 2, 2, 4, 4, 4, 4]
    assert list(QueueShare.objects.order_by("served").values_list("served", flat=True)) == [2.0, 12.0]


def test_one_of_several_takes_is_stopped_and_the_others_go_on(artist: Caller, backend: Recording) -> None:
    videos = _takes(artist, 3)
    backend.at_step[2] = lambda: _stop(artist, videos[1])

    run.drain("turbo")

    assert _states(videos) == [VideoState.COMPLETED, VideoState.CANCELLED, VideoState.COMPLETED]
    assert backend.forwards == [[7, 8, 9]]


def test_the_forward_stops_when_all_its_takes_are_stopped(artist: Caller, backend: Recording) -> None:
    videos = _takes(artist, 2)
    reached: list[int] = []
    backend.at_step = {
        2: lambda: _stop(artist, *videos),
        4: lambda: reached.append(4),
    }

    run.drain("turbo")

    assert _states(videos) == [VideoState.CANCELLED] * 2
    assert not reached
    assert set(Attempt.objects.values_list("end", flat=True)) == {AttemptEnd.CANCELLED}


def test_leases_are_kept_while_a_checkpoint_is_loaded_to_know_what_fits(
    artist: Caller, backend: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "HEARTBEAT", 0)
    monkeypatch.setattr(pulse, "_TICK", 0.05)
    (video, _) = _takes(artist, 2)
    kept: list[bool] = []

    def load(_spec: RenderSpec) -> int:
        row = Video.objects.filter(public_id=video, lease_expires_at__gt=F("started_at") + lifecycle.LEASE)
        until = time.monotonic() + 20
        while not row.exists() and time.monotonic() < until:
            time.sleep(0.02)
        kept.append(row.exists())
        return 2

    monkeypatch.setattr(backend, "at_once", load)
    run.drain("turbo")

    assert kept == [True]
    assert backend.forwards == [[7, 8]]


def test_takes_of_one_forward_may_take_as_long_as_all_of_them(artist: Caller) -> None:
    first, second = (
        lifecycle.claim_next(lane="turbo", worker="w", now=clock.now()) for _ in _takes(artist, 2)
    )
    assert first is not None
    assert second is not None
    held = Held([first])
    assert (held.soft_limit, held.hard_limit) == (first.soft_limit, first.hard_limit)
    held.add([second])
    assert (held.soft_limit, held.hard_limit) == (first.soft_limit * 2, first.hard_limit * 2)


def test_what_ended_a_worker_is_tried_again_alone(artist: Caller, backend: Recording) -> None:
    _takes(artist, 2)
    now = clock.now()
    first = lifecycle.claim_next(lane="turbo", worker="w", now=now)
    assert first is not None
    assert len(lifecycle.claim_takes(first=first, most=3, worker="w", now=now)) == 1
    assert lifecycle.reap(now=now + lifecycle.LEASE + timedelta(seconds=1)) == 2

    run.drain("turbo")

    assert backend.forwards == [[7], [8]]


def test_a_clip_rendered_again_goes_through_as_many_at_a_time_and_where_it_did_the_first_time(
    artist: Caller, backend: Recording
) -> None:
    videos = _takes(artist, 3)
    run.drain("turbo")
    again = queued_video(artist, clock.now(), seed=8, seconds=2, size="640x360")
    source = Video.objects.get(public_id=videos[1])
    Video.objects.filter(public_id=again).update(source=source, relation=Relation.AGAIN)

    run.drain("turbo")

    assert backend.forwards[-1] == [8, 8, 8]
    attempt = Attempt.objects.get(video__public_id=again)
    assert (attempt.batch, attempt.place) == (3, 1)
    clip, first = queries.clip(again), queries.clip(videos[1])
    assert clip is not None
    assert first is not None
    assert clip.master is not None
    assert first.master is not None
    assert clip.master.frames_sha256 == first.master.frames_sha256

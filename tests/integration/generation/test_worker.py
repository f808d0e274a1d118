"""Real workers, killed for real. Leases are shortened by handing a later time to the sweeper."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from kombu import Queue

from access.caller import Caller
from core import clock
from generation import progress, queries
from generation.models import Attempt, Master, ModelVariant
from generation.queries.workers import set_aside
from generation.services import files, lifecycle, requests
from generation.states import AttemptEnd, VideoState
from tests.factories.generation import queued_video
from tests.rig.workers import CeleryWorker

pytestmark = pytest.mark.django_db(transaction=True)
StartWorker = Callable[..., CeleryWorker]


def _state(video: str) -> VideoState:
    clip = queries.clip(video)
    assert clip is not None
    return clip.state


def _wait_for(wanted: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def _slowly(step_seconds: float, steps: int, **limits: int) -> None:
    """Renders of the turbo variant take their time; with a huge step they never look up."""
    ModelVariant.objects.filter(slug="turbo-1").update(checkpoint=str(step_seconds), steps=steps, **limits)


def _begun(video: str) -> Callable[[], bool]:
    return lambda: any(step.done for step in progress.latest([video]).values())


def test_a_wake_up_drains_the_queue_into_finished_clips(
    artist: Caller, start_celery_worker: StartWorker
) -> None:
    videos = [queued_video(artist, clock.now(), seconds=2, size="640x360") for _ in range(3)]
    start_celery_worker("render.turbo")

    _wait_for(lambda: all(_state(video) == VideoState.COMPLETED for video in videos))

    assert Attempt.objects.filter(end=AttemptEnd.FINISHED).count() == 3
    for master in Master.objects.all():
        assert all(files.store().size(made.storage_key) == made.bytes for made in master.renditions.all())


def test_a_render_killed_in_the_middle_is_finished_by_another_worker_once(
    artist: Caller, start_celery_worker: StartWorker
) -> None:
    _slowly(0.2, steps=20)
    video = queued_video(artist, clock.now(), seconds=2, size="640x360")
    doomed = start_celery_worker("render.turbo")
    _wait_for(_begun(video))

    doomed.kill()
    assert _state(video) == VideoState.IN_PROGRESS
    assert lifecycle.reap(now=clock.now()) == 0, "the lease must still hold"
    assert lifecycle.reap(now=clock.now() + lifecycle.LEASE + timedelta(seconds=1)) == 1
    start_celery_worker("render.turbo")

    _wait_for(lambda: _state(video) == VideoState.COMPLETED)
    assert [attempt.end for attempt in Attempt.objects.order_by("number")] == [
        AttemptEnd.LOST,
        AttemptEnd.FINISHED,
    ]
    assert Master.objects.count() == 1


def test_a_video_that_ends_two_workers_is_set_aside_and_the_next_one_is_rendered(
    artist: Caller, start_celery_worker: StartWorker
) -> None:
    _slowly(0.2, steps=600)
    poison = queued_video(artist, clock.now(), seconds=2, size="640x360")
    for _ in range(2):
        progress.client().flushall()  # the note of the first worker's steps; and of its message
        doomed = start_celery_worker("render.turbo")
        lifecycle.wake_waiting(now=clock.now() + timedelta(seconds=16))
        _wait_for(_begun(poison))
        doomed.kill()
        assert lifecycle.reap(now=clock.now() + lifecycle.LEASE + timedelta(seconds=1)) == 1
    ModelVariant.objects.filter(slug="turbo-1").update(checkpoint="builtin", steps=2)
    after = queued_video(artist, clock.now(), seconds=2, size="640x360")
    start_celery_worker("render.turbo")

    _wait_for(lambda: _state(after) == VideoState.COMPLETED)
    clip = queries.clip(poison)
    assert clip is not None
    assert (clip.state, clip.error_code) == (VideoState.FAILED, "set_aside")
    assert "Nothing was charged" in clip.error_sentence
    assert [(aside.public_id, aside.error) for aside in set_aside()] == [(poison, "no heartbeat")]


def test_a_video_whose_message_was_lost_is_woken_by_the_sweeper(
    artist: Caller, start_celery_worker: StartWorker
) -> None:
    from config.celery import app

    video = queued_video(artist, clock.now(), seconds=2, size="640x360")
    app.control.purge()
    with app.connection_for_write() as broker:
        Queue("pv-tests.render.turbo").bind(broker.default_channel).purge()
    start_celery_worker("render.turbo")
    time.sleep(1)
    assert _state(video) == VideoState.QUEUED

    assert lifecycle.wake_waiting(now=clock.now()) == []
    assert lifecycle.wake_waiting(now=clock.now() + timedelta(seconds=16)) == ["turbo"]

    _wait_for(lambda: _state(video) == VideoState.COMPLETED)


def test_a_cancelled_render_stops_at_its_next_step_and_leaves_the_worker_free(
    artist: Caller, start_celery_worker: StartWorker
) -> None:
    _slowly(0.2, steps=600)
    video = queued_video(artist, clock.now(), seconds=2, size="640x360")
    worker = start_celery_worker("render.turbo")
    _wait_for(_begun(video))

    assert artist.membership is not None
    requests.cancel(video=video, membership_id=artist.membership.id, by=artist.actor, now=clock.now())
    ModelVariant.objects.filter(slug="turbo-1").update(checkpoint="builtin", steps=2)
    after = queued_video(artist, clock.now(), seconds=2, size="640x360")

    _wait_for(lambda: _state(after) == VideoState.COMPLETED, seconds=20)
    assert _state(video) == VideoState.CANCELLED
    assert worker.alive
    stopped = Attempt.objects.get(video__public_id=video)
    assert stopped.end == AttemptEnd.CANCELLED
    assert not any(files.store().exists(key) for key in files.keys(video, stopped.lease_token))

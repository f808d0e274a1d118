"""Workers that are asked to leave, and renders that outstay their limits: real processes, real signals."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from access.caller import Caller
from core import clock
from generation import progress, queries
from generation.models import Attempt, ModelVariant, Worker
from generation.states import AttemptEnd, VideoState
from tests.factories.generation import queued_video
from tests.rig.workers import CeleryWorker

pytestmark = pytest.mark.django_db(transaction=True)
StartWorker = Callable[..., CeleryWorker]


def _render(artist: Caller, *, step_seconds: float, steps: int, **limits: int) -> str:
    ModelVariant.objects.filter(slug="turbo-1").update(checkpoint=str(step_seconds), steps=steps, **limits)
    return queued_video(artist, clock.now(), seconds=2, size="640x360")


def _wait_for(wanted: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _state(video: str) -> VideoState:
    clip = queries.clip(video)
    assert clip is not None
    return clip.state


def _begun(video: str) -> Callable[[], bool]:
    return lambda: any(step.done for step in progress.latest([video]).values())


def _ends() -> list[str]:
    return list(Attempt.objects.order_by("id").values_list("end", flat=True))


def test_a_worker_that_is_asked_to_leave_finishes_the_render_at_hand_and_begins_no_other(
    artist: Caller, start_celery_worker: StartWorker
) -> None:
    video = _render(artist, step_seconds=0.2, steps=10)
    other = queued_video(artist, clock.now(), seconds=2, size="640x360")
    worker = start_celery_worker("render.turbo")
    _wait_for(_begun(video))

    os.kill(worker.pid, signal.SIGTERM)

    _wait_for(lambda: not worker.alive)
    assert (_state(video), _state(other)) == (VideoState.COMPLETED, VideoState.QUEUED)
    assert Worker.objects.get().stopped_at is not None


def test_what_is_not_done_within_the_limit_is_handed_back_to_its_place_and_counts_against_nobody(
    artist: Caller, start_celery_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVATE_VIEW_DRAIN_SECONDS", "1")
    video = _render(artist, step_seconds=0.2, steps=600)
    for _ in range(2):
        worker = start_celery_worker("render.turbo")
        _wait_for(lambda: _state(video) == VideoState.IN_PROGRESS)
        os.kill(worker.pid, signal.SIGTERM)
        _wait_for(lambda worker=worker: not worker.alive)  # type: ignore[misc]

    assert _state(video) == VideoState.QUEUED
    assert _ends() == [AttemptEnd.RELEASED] * 2


def test_a_second_signal_hands_back_at_once(artist: Caller, start_celery_worker: StartWorker) -> None:
    video = _render(artist, step_seconds=0.2, steps=600)
    worker = start_celery_worker("render.turbo")
    _wait_for(_begun(video))

    os.kill(worker.pid, signal.SIGTERM)
    time.sleep(0.5)
    assert _state(video) == VideoState.IN_PROGRESS
    os.kill(worker.pid, signal.SIGTERM)

    _wait_for(lambda: not worker.alive, seconds=10)
    assert _state(video) == VideoState.QUEUED
    assert _ends() == [AttemptEnd.RELEASED]


def test_a_render_past_its_soft_limit_is_stopped_with_a_sentence_and_the_worker_goes_on(
    artist: Caller, start_celery_worker: StartWorker
) -> None:
    video = _render(artist, step_seconds=0.2, steps=600, soft_limit=2, hard_limit=60)
    worker = start_celery_worker("render.turbo")

    _wait_for(lambda: _state(video) == VideoState.FAILED)
    clip = queries.clip(video)
    assert clip is not None
    assert clip.error_code == "took_too_long"
    assert "Nothing was charged" in clip.error_sentence
    ModelVariant.objects.filter(slug="turbo-1").update(checkpoint="builtin", soft_limit=30)
    after = queued_video(artist, clock.now(), seconds=2, size="640x360")
    _wait_for(lambda: _state(after) == VideoState.COMPLETED)
    assert worker.alive


def test_a_render_that_never_looks_up_ends_with_its_process_and_counts_as_a_crash(
    artist: Caller, start_celery_worker: StartWorker
) -> None:
    video = _render(artist, step_seconds=600, steps=2, soft_limit=1, hard_limit=3)
    worker = start_celery_worker("render.turbo")

    _wait_for(lambda: not worker.alive)
    assert _state(video) == VideoState.QUEUED
    assert _ends() == [AttemptEnd.LOST]
    start_celery_worker("render.turbo")
    _wait_for(lambda: _state(video) == VideoState.FAILED)
    assert queries.clip(video).error_code == "set_aside"  # type: ignore[union-attr]

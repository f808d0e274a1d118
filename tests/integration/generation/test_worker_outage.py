"""What a worker does while the database is away, and which ends of a render it counts as failures of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import psycopg
import pytest
from django.db import OperationalError, connection
from psycopg import sql

from access.caller import Caller
from core import clock
from generation import progress
from generation.backends.null import NullBackend
from generation.errors import EngineError, SpecRejected, Transient
from generation.models import Attempt, ModelVariant, Video
from generation.services import lifecycle, requests
from generation.spec import Cancelled, Frames, Progress, RenderSpec
from generation.states import AttemptEnd, VideoState
from generation.worker import pulse, run, writing
from tests.factories.generation import queued_takes, queued_video
from tests.rig.workers import CeleryWorker

pytestmark = pytest.mark.django_db(transaction=True)


class Failing(NullBackend):
    """Ends each forward with a fault."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self.fault = fault

    def at_once(self, spec: RenderSpec) -> int:
        return 4

    def render(self, takes: Sequence[RenderSpec], *, progress: Progress, cancelled: Cancelled) -> NoReturn:
        raise self.fault


def _fails(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    monkeypatch.setattr("generation.worker.shelf.backend_of", lambda _claim: Failing(fault))


def _takes(caller: Caller, count: int) -> tuple[str, ...]:
    return queued_takes(caller, clock.now(), takes=count, seconds=2, size="640x360")


def _wait_for(wanted: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@contextmanager
def _nobody_else_connects() -> Iterator[None]:
    """The database cuts every connection but this one, and takes none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_database()")
        ours, name = cursor.fetchone()
    about = connection.get_connection_params() | {"dbname": "postgres"}
    about = {key: about[key] for key in ("dbname", "host", "port", "user", "password") if about.get(key)}
    with psycopg.connect(**about, autocommit=True) as server:
        alter = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format
        server.execute(alter(sql.Identifier(name), sql.SQL("false")))
        try:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
                (name, ours),
            )
            yield
        finally:
            server.execute(alter(sql.Identifier(name), sql.SQL("true")))


def test_a_render_that_ends_while_the_database_is_away_is_written_when_it_is_back(
    artist: Caller, start_celery_worker: Callable[..., CeleryWorker]
) -> None:
    ModelVariant.objects.filter(slug="turbo-1").update(checkpoint="0.5", steps=4)
    video = queued_video(artist, clock.now(), seconds=2, size="640x360")
    worker = start_celery_worker("render.turbo")
    _wait_for(lambda: any(step.done for step in progress.latest([video]).values()))

    with _nobody_else_connects():
        time.sleep(6)

    _wait_for(lambda: Video.objects.get().state == VideoState.COMPLETED)
    assert [attempt.end for attempt in Attempt.objects.all()] == [AttemptEnd.FINISHED]
    assert worker.alive


def test_an_end_that_cannot_be_written_takes_no_other_with_it(
    artist: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fails(monkeypatch, EngineError("broken"))
    monkeypatch.setattr(writing, "PATIENCE", 0)
    first, *others = _takes(artist, 3)

    def refused(**about: object) -> bool:
        if about["claim"].video == first:  # type: ignore[attr-defined]
            raise OperationalError("the disk of the database is full")
        return fail(**about)  # type: ignore[arg-type]

    fail = lifecycle.fail
    monkeypatch.setattr(lifecycle, "fail", refused)

    assert run.drain("turbo") == 3

    states = dict(Video.objects.values_list("public_id", "state"))
    assert states.pop(first) == VideoState.IN_PROGRESS, "until its lease runs out"
    assert set(states.values()) == {VideoState.FAILED}
    assert len(states) == len(others) == 2


@pytest.mark.parametrize(
    ("fault", "failures"),
    [
        (SpecRejected("adapter_overflow", "The adapter does not work."), 0),
        (Transient("the disk is full"), 2),
        (OperationalError("the database is away"), 2),
        (EngineError("broken"), 2),
        (RuntimeError("broken"), 2),
    ],
    ids=repr,
)
def test_counts_as_failures_what_is_not_the_artists_to_change(
    artist: Caller, monkeypatch: pytest.MonkeyPatch, fault: Exception, failures: int
) -> None:
    _fails(monkeypatch, fault)
    _takes(artist, 2)
    before = pulse.pulse.failed

    run.drain("turbo")

    assert pulse.pulse.failed - before == failures
    again = isinstance(fault, Transient | OperationalError)
    wanted = {VideoState.QUEUED if again else VideoState.FAILED}
    assert set(Video.objects.values_list("state", flat=True)) == wanted


class Endless(NullBackend):
    """Takes its time."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(0.05)
        self.meanwhile = meanwhile

    def render(
        self, takes: Sequence[RenderSpec], *, progress: Progress, cancelled: Cancelled
    ) -> list[Frames]:
        self.meanwhile()
        return super().render(takes, progress=progress, cancelled=cancelled)


@pytest.mark.parametrize("stopped", [True, False], ids=["stopped by its artist", "stopped for time"])
def test_counts_what_took_too_long_and_not_what_its_artist_stopped(
    artist: Caller, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    monkeypatch.setattr("generation.worker.held._GLANCE", 0.0)
    ModelVariant.objects.filter(slug="turbo-1").update(steps=60, soft_limit=1)
    video = queued_video(artist, clock.now(), seconds=2, size="640x360")

    def stop() -> None:
        assert artist.membership is not None
        if stopped:
            requests.cancel(video=video, membership_id=artist.membership.id, by=artist.actor, now=clock.now())

    monkeypatch.setattr("generation.worker.shelf.backend_of", lambda _claim: Endless(stop))
    before = pulse.pulse.failed

    run.drain("turbo")

    assert pulse.pulse.failed - before == (0 if stopped else 1)
    assert Video.objects.get().state == (VideoState.CANCELLED if stopped else VideoState.FAILED)

"""What workers say of themselves, and what the office, metrics and `manage.py workers` make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from access.caller import Caller
from core import clock
from embedded import commands
from embedded.processes import Child
from generation.backends import registry
from generation.models import ModelVariant, Worker
from generation.queries import workers as queries
from generation.services import workers
from generation.worker import shelf
from tests.factories.generation import claim, finish, queued_video
from tests.rig import environment
from tests.rig.workers import CeleryWorker

SECOND = timedelta(seconds=1)
HELD = {
    "backend": "null", "checkpoint": "builtin", "digest": "0" * 64, "kind": "k", "device": "none", "dtype": "uint8",
    "memory": 3 << 20, "load_seconds": 1.5, "warm_seconds": 0.5, "rung": "none", "images": True, "adapters": True,
    "at_once": 4,
}  # fmt: skip


def _report(now: datetime, name: str = "host/1") -> None:
    workers.report(name=name, lanes=["turbo"], held=[HELD], now=now)


@pytest.mark.django_db
def test_a_worker_is_there_while_it_is_seen(artist: Caller, now: datetime) -> None:
    _report(now)
    video = queued_video(artist, now)
    held = claim(now, worker="host/1")
    more = HELD | {"memory": 4 << 20}
    workers.seen(name="host/1", video=video, finished=3, failed=1, held=[more], now=now + 15 * SECOND)

    (there,) = queries.workers(now + 74 * SECOND)
    assert (there.alive, there.video, there.finished, there.failed) == (True, video, 3, 1)
    assert there.held == (more,)
    assert finish(held, now)
    (gone,) = queries.workers(now + 75 * SECOND)
    assert not gone.alive

    workers.stopped(name="host/1", now=now + 16 * SECOND)
    (left,) = queries.workers(now + 17 * SECOND)
    assert (left.alive, left.video) == (False, "")


@pytest.mark.django_db
def test_workers_are_forgotten_a_day_after_they_were_seen_last(now: datetime) -> None:
    _report(now, "old/1")
    _report(now + timedelta(hours=2), "new/1")

    assert workers.sweep(now=now + timedelta(days=1, hours=1)) == 1
    assert Worker.objects.get().name == "new/1"


@pytest.mark.django_db
def test_a_queue_is_told_with_what_waits_and_who_takes_it(artist: Caller, now: datetime) -> None:
    for number in range(3):
        queued_video(artist, now + number * SECOND)
    claim(now + 5 * SECOND)
    _report(now)

    full, turbo = queries.lanes(now)

    assert (turbo.queue, turbo.queued, turbo.running, turbo.workers) == ("turbo", 2, 1, 1)
    assert turbo.waiting_since == now + SECOND
    assert (full.queue, full.queued, full.running, full.workers, full.waiting_since) == (
        "full",
        0,
        0,
        0,
        None,
    )


@pytest.mark.django_db
def test_the_command_tells_workers_and_queues_to_people_and_to_programs(
    artist: Caller, now: datetime
) -> None:
    _report(clock.now())
    queued_video(artist, now)
    said, machine = StringIO(), StringIO()

    call_command("workers", stdout=said)
    call_command("workers", "--json", stdout=machine)

    assert "host/1: idle" in said.getvalue()
    assert "3 MiB, loaded in 1.5 s, warm in 0.5 s, memory rung none, 4 at once" in said.getvalue()
    assert "queue turbo: 1 wait" in said.getvalue()
    told: dict[str, Any] = json.loads(machine.getvalue())
    assert told["workers"][0]["held"][0]["device"] == "none"
    assert {lane["queue"] for lane in told["queues"]} == {"turbo", "full"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_reports_what_it_holds_before_it_takes_anything(
    artist: Caller, start_celery_worker: Callable[..., CeleryWorker]
) -> None:
    ModelVariant.objects.filter(slug="full-1").update(priority=2)

    start_celery_worker("render.turbo", "render.full")

    (worker,) = queries.workers(clock.now())
    assert worker.alive
    assert worker.lanes == ("full", "turbo"), "the most urgent first"
    (held,) = worker.held
    assert (held["backend"], held["device"], held["at_once"]) == ("null", "none", 16)
    assert len(held["digest"]) == 64


@pytest.mark.django_db
def test_a_checkpoint_that_no_variant_names_any_more_makes_room_for_the_next(
    artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_loaded", {})
    monkeypatch.setattr(shelf, "lanes", ("turbo", "full"))
    shelf.stock()
    assert [held["checkpoint"] for held in shelf.told()] == ["builtin"]
    ModelVariant.objects.filter(slug="turbo-1").update(checkpoint="0.001")
    queued_video(artist, now)
    shelf.backend_of(claim(now))
    assert [held["checkpoint"] for held in shelf.told()] == ["builtin", "0.001"], "the other variant's stays"

    ModelVariant.objects.filter(slug="turbo-1").update(checkpoint="0.002")
    queued_video(artist, now)
    shelf.backend_of(claim(now))
    assert [held["checkpoint"] for held in shelf.told()] == ["builtin", "0.002"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("queue", "checkpoint", "says"),
    [("typo", "builtin", "There are: full, turbo"), ("turbo", "nonsense", "cannot be loaded")],
)
def test_a_worker_that_cannot_do_its_work_ends_with_a_sentence(
    artist: Caller, tmp_path: Path, queue: str, checkpoint: str, says: str
) -> None:
    ModelVariant.objects.filter(slug="turbo-1").update(checkpoint=checkpoint)
    log = tmp_path / "worker.log"
    name = f"{environment.DEPLOYMENT}.render.{queue}"
    child = Child(commands.worker("refused", queues=[name], env=environment.for_children(), log=log))

    child.start()
    try:
        assert child.wait(40), "it should have ended by itself"
    finally:
        child.kill()

    assert child.exit_status not in (0, None)
    assert says in log.read_text()

"""Frames whose making fails, or whose workers are lost: who tries again, what the artist is told, what is left."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory

from access.caller import Caller
from audit import outbox
from core import clock
from core.errors import NotFound, NotYet
from delivery import serve
from generation.errors import Transient
from generation.models import Reference
from generation.services import files, references, stills
from generation.worker import stills as stilling
from tests.factories.looks import filmed, stored

pytestmark = pytest.mark.django_db
LATER = stills.LEASE + timedelta(seconds=1)


@pytest.fixture
def frame(artist: Caller, now: datetime) -> str:
    return references.last_of(caller=artist, video=filmed(artist, now), now=now)


def no_room(*_: Any, **__: Any) -> None:
    raise OSError("no space left")


def asked_for(frame: str, artist: Caller, now: datetime) -> str:
    """What the artist is told."""
    try:
        serve.own_reference(artist, frame, RequestFactory().get("/"), now=now).close()
    except (NotFound, NotYet) as refusal:
        return f"{refusal.code}: {refusal.sentence}"
    return "here it is"


def left(frame: str, now: datetime) -> list[Path]:
    """Files of the frame, after everything that is due has been removed."""
    outbox.deliver_due(now=now + timedelta(days=1))
    return list(files.store().path(f"{frame}/x.png").parent.glob("*"))


def test_a_full_disk_passes(
    artist: Caller, frame: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(files.store(), "put_all", no_room)
        assert stilling.drain() == 1
        assert "being taken out" in asked_for(frame, artist, now)
        with pytest.raises(Transient):
            stilling.native_of(frame)
    assert stilling.drain() == 0, "not at once"
    job = stills.next_job(now=clock.now() + LATER)
    assert job is not None
    assert stilling.make(job)
    assert stored(frame, artist)


def test_a_frame_that_cannot_be_made_says_so_until_somebody_asks_for_it_again(
    artist: Caller, frame: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(files.store(), "put_all", no_room)
        for _ in range(3):
            with pytest.raises(Transient):
                stilling.native_of(frame)
    assert stills.wake_waiting(now=clock.now() + LATER) is False
    assert asked_for(frame, artist, now).startswith("not_found: This frame could not be taken")

    source = Reference.objects.get(public_id=frame).source
    assert source is not None
    assert references.last_of(caller=artist, video=source.public_id, now=now) == frame
    assert "being taken out" in asked_for(frame, artist, now)
    assert stilling.drain() == 1
    assert asked_for(frame, artist, now) == "here it is"


def test_a_lost_workers_frame_is_taken_over_and_nothing_of_it_stays(
    artist: Caller, frame: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = stills.next_job(now=now)
    assert lost is not None
    files.store().put_all({lost.shown_key: Path(__file__), lost.native_key: Path(__file__)})
    assert stills.next_job(now=now) is None

    job = stills.next_job(now=now + LATER)
    assert job is not None
    assert stilling.make(job)
    assert {path.name for path in left(frame, now)} == {f"{job.lease}.png", f"{job.lease}.sealed"}
    assert stilling.make(lost) is False
    assert len(left(frame, now)) == 2


def test_a_frame_that_is_removed_while_it_is_made_leaves_nothing(
    artist: Caller, frame: str, now: datetime
) -> None:
    job = stills.next_job(now=now)
    assert job is not None
    references.remove(caller=artist, reference=frame, now=now)
    assert stilling.make(job) is False
    source = Reference.objects.get(public_id=frame).source
    assert source is not None
    lost = references.last_of(caller=artist, video=source.public_id, now=now)
    job = stills.next_job(now=now)
    assert job is not None
    files.store().put_all({job.shown_key: Path(__file__), job.native_key: Path(__file__)})
    references.remove(caller=artist, reference=lost, now=now)
    assert left(frame, now) == left(lost, now) == []

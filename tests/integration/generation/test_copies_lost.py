"""Copies whose workers are lost, leave, or are slow: who else gets theirs, and what is left in the store."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from access.caller import Caller
from audit import outbox
from core import clock
from core.errors import WrongState
from generation import keys
from generation.errors import RenderCancelled
from generation.models import Copy, Mark, Master
from generation.services import clips, copies, credentials, files, references
from generation.services.copies import Job
from generation.spec import FileKind, FileMade
from generation.states import CopyState, Purpose
from generation.worker import copies as copying
from generation.worker import pulse, run, sources
from generation.worker.leaving import leaving
from tests.factories.generation import queued_video

pytestmark = pytest.mark.django_db(transaction=True)
LATER = copies.LEASE + timedelta(seconds=1)


@pytest.fixture
def master(artist: Caller, now: datetime) -> Master:
    """Of a rendered clip."""
    video = queued_video(artist, now, seconds=2, size="640x360")
    assert run.drain("turbo") == 1
    return Master.objects.get(video__public_id=video)


def order(master: Master, recipient: str = "user:one") -> Copy:
    copies.order(master=master.pk, purpose=Purpose.SCREENING, recipient=recipient, now=clock.now())
    return Copy.objects.get(master=master, recipient=recipient)


def claim(now: datetime) -> Job:
    job = copies.claim_next(now=now)
    assert job is not None
    return job


def lost(times: int, now: datetime) -> datetime:
    """That many workers take up what comes first, and are never heard of again; then their leases have run out."""
    for _ in range(times):
        claim(now)
        now += LATER
    return now


def stored(master: Master) -> set[str]:
    """Names of the files of the clip, after everything that is due has been removed."""
    outbox.deliver_due(now=clock.now() + timedelta(days=1))
    folder = files.store().path(f"{master.video.public_id}/x.mp4").parent
    return {path.name for path in folder.glob("*")}


def stow(job: Job, folder: Path) -> None:
    """What a worker does just before it is lost."""
    (folder / "copy.mp4").write_bytes(b"a file")
    files.keep(job.video, job.lease, [FileMade("mp4", folder / "copy.mp4", "0" * 64, 6, "video/mp4", 1, 1)])


def test_a_copy_that_ends_three_workers_is_set_aside_with_a_sentence(master: Master, now: datetime) -> None:
    one = order(master)
    after = lost(3, now)

    assert copies.wake_waiting(now=after) is True
    assert copies.claim_next(now=after) is None

    one.refresh_from_db()
    assert (one.state, one.error, one.lease_token) == (CopyState.FAILED, copies.SET_ASIDE, None)
    assert copies.wake_waiting(now=after) is False


def test_a_copy_that_was_set_aside_rests_however_often_it_is_asked_for(master: Master, now: datetime) -> None:
    one = order(master)
    after = lost(3, now)
    copies.claim_next(now=after)

    ask: dict[str, Any] = {"master": master.pk, "purpose": Purpose.SCREENING, "recipient": "user:one"}
    copies.order(**ask, now=after + copies.REST - timedelta(seconds=1))
    one.refresh_from_db()
    assert one.state == CopyState.FAILED
    copies.order(**ask, now=after + copies.REST)

    one.refresh_from_db()
    assert (one.state, one.tries, one.error) == (CopyState.WAITING, 0, "")


def test_others_get_their_copies_while_one_ends_its_workers(master: Master, now: datetime) -> None:
    poison = order(master)
    copies.prepare(master=master.pk, now=now)
    Copy.objects.filter(purpose=Purpose.SPARE).update(
        style="outline"
    )  # of another look: it is handed to nobody
    after = lost(1, now)
    other = order(master, "user:two")

    taken = [claim(after).copy for _ in range(3)]

    spare = Copy.objects.get(purpose=Purpose.SPARE)
    assert taken == [other.pk, poison.pk, spare.pk]


def test_one_that_took_three_workers_with_it_does_not_hide_the_next_in_line(
    master: Master, now: datetime
) -> None:
    poison = order(master)
    after = lost(3, now)
    copies.prepare(master=master.pk, now=now)

    assert claim(after).copy == Copy.objects.get(purpose=Purpose.SPARE).pk
    poison.refresh_from_db()
    assert poison.state == CopyState.FAILED


def test_what_a_lost_worker_has_stored_goes_when_another_takes_the_copy_up(
    master: Master, now: datetime, tmp_path: Path
) -> None:
    before = stored(master)
    order(master)
    stow(claim(now), tmp_path)
    assert len(stored(master)) == len(before) + 1

    claim(now + LATER)

    assert stored(master) == before


def test_what_the_third_lost_worker_has_stored_goes_when_the_copy_is_set_aside(
    master: Master, now: datetime, tmp_path: Path
) -> None:
    before = stored(master)
    order(master)
    after = lost(2, now)
    stow(claim(after), tmp_path)

    assert copies.claim_next(now=after + LATER) is None

    assert stored(master) == before


def test_what_was_stored_goes_when_the_copy_cannot_be_finished(
    master: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(master)
    one = order(master)
    seen: list[int] = []

    def refuse(**_: object) -> bool:
        seen.append(len(stored(master)) - len(before))
        raise RuntimeError("refused")

    monkeypatch.setattr(copies, "finish", refuse)
    assert copying.drain() == 1

    one.refresh_from_db()
    assert (one.state, one.error) == (CopyState.FAILED, "refused")
    assert seen == [5]
    assert stored(master) == before


def test_what_a_worker_has_stored_goes_with_the_clip_and_it_cannot_finish(
    artist: Caller, master: Master, now: datetime, tmp_path: Path
) -> None:
    order(master)
    job = claim(clock.now())
    stow(job, tmp_path)

    clips.delete(video=master.video.public_id, by=artist.actor, now=now)

    assert stored(master) == set()
    assert copies.finish(job=job, files=[], keys={}, now=now) is False
    assert copies.prolong(job=job, now=now) is False


def test_a_number_stands_in_a_mark_before_a_file_with_it_is_stored_and_is_the_same_at_each_try(
    master: Master, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = order(master)
    first = claim(now)
    known: list[int] = []
    keep = files.keep

    def look(video: str, lease: UUID, made: Sequence[FileMade]) -> Mapping[FileKind, str]:
        known.extend(Mark.objects.filter(copy=one.pk).values_list("number", flat=True))
        return keep(video, lease, made)

    monkeypatch.setattr(files, "keep", look)
    Copy.objects.update(lease_expires_at=now)
    assert copying.drain() == 1

    one.refresh_from_db()
    assert one.state == CopyState.READY
    assert one.mark is not None
    assert known == [one.mark.number] == [first.mark.number]
    assert (one.mark.purpose, one.mark.recipient) == ("screening", "user:one")
    assert Mark.objects.exclude(purpose=Purpose.MASTER).count() == 1


def test_a_spare_that_was_tried_takes_its_number_to_who_asks_for_it(master: Master, now: datetime) -> None:
    copies.prepare(master=master.pk, now=now)
    number = claim(now).mark.number

    handed = order(master)

    assert handed.mark is not None
    assert (handed.mark.number, handed.mark.recipient) == (number, "user:one")


def test_a_process_without_keys_takes_nothing_up(master: Master, settings: Any) -> None:
    one = order(master)
    settings.MARK_KEYS = ""
    with pytest.raises(keys.NoKey):
        copying.drain()
    one.refresh_from_db()
    assert (one.state, one.tries) == (CopyState.WAITING, 0)


def slowly(work: Any) -> Any:
    """The same, but the thread that keeps leases comes round meanwhile."""

    def later(*arguments: Any) -> Any:
        time.sleep(1.5 * pulse._TICK)
        return work(*arguments)

    return later


@pytest.mark.parametrize("at", ["read", "signed", "stored"])
def test_the_lease_is_kept_whatever_the_copy_is_at(
    master: Master, now: datetime, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setattr(copying, "_BEAT", 0.0)
    monkeypatch.setattr(pulse, "_TICK", 0.02)
    order(master)
    job = claim(clock.now())
    kept: list[bool] = []
    places: dict[str, tuple[Any, str]] = {
        "read": (sources, "opened"),
        "signed": (credentials, "sign_for"),
        "stored": (files, "keep"),
    }
    module, name = places[at]
    work = getattr(module, name)

    def wait(*arguments: Any) -> Any:
        began = clock.now()
        prolonged = Copy.objects.filter(lease_expires_at__gt=began + copies.LEASE)
        kept.append(_within(5, prolonged.exists))
        return work(*arguments)

    monkeypatch.setattr(module, name, wait)
    assert copying.make(job) is True
    assert kept == [True]


def test_a_worker_that_lost_its_lease_on_the_way_stores_nothing(
    master: Master, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_BEAT", 0.0)
    monkeypatch.setattr(sources, "opened", slowly(sources.opened))
    before = stored(master)
    order(master)
    late = claim(clock.now() - LATER)
    claim(clock.now())
    with pytest.raises(RenderCancelled):
        copying.make(late)
    assert stored(master) == before
    assert Copy.objects.filter(state=CopyState.MAKING, tries=2).exists()


def test_a_copy_that_hangs_is_not_kept_for_ever(
    master: Master, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_BEAT", 0.0)
    monkeypatch.setattr(copying, "_LONGEST", 0.0)
    monkeypatch.setattr(sources, "opened", slowly(sources.opened))
    one = order(master)
    assert copying.drain() == 1
    one.refresh_from_db()
    assert (one.state, one.tries) == (CopyState.MAKING, 1), "its lease runs out, and the try counts"


def test_a_worker_that_has_to_leave_hands_its_copy_back_and_the_try_does_not_count(
    master: Master, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = order(master)
    work = sources.opened

    def leave(*arguments: Any) -> Any:
        leaving.note(at_once=True)
        return work(*arguments)

    monkeypatch.setattr(sources, "opened", leave)
    try:
        assert copying.drain() == 1
    finally:
        leaving.forget()
    one.refresh_from_db()
    assert (one.state, one.tries, one.lease_token) == (CopyState.WAITING, 0, None)


def test_a_copy_is_not_made_from_another_clips_frames(artist: Caller, master: Master, now: datetime) -> None:
    """Both were sealed here: that they open says nothing of whose they are."""
    other = queued_video(artist, now, seconds=2, size="640x360", seed=9)
    assert run.drain("turbo") == 1
    theirs = files.store().path(Master.objects.get(video__public_id=other).source_key)
    files.store().path(master.source_key).write_bytes(theirs.read_bytes())
    one = order(master)
    copying.drain()
    one.refresh_from_db()
    assert one.state == CopyState.WAITING
    assert "or is another file" in one.error


def test_frames_that_lie_unsealed_in_the_store_are_refused(
    artist: Caller, master: Master, now: datetime, tmp_path: Path
) -> None:
    body = b"\x1aE\xdf\xa3 a Matroska file"
    (tmp_path / "source.mkv").write_bytes(body)
    key = f"{master.video.public_id}/source.mkv"
    files.store().put(tmp_path / "source.mkv", key=key)
    Master.objects.update(source_key=key, source_sha256=hashlib.sha256(body).hexdigest())
    one = order(master)
    copying.drain()
    one.refresh_from_db()
    assert "was not sealed here" in one.error

    with (
        connection.cursor() as cursor
    ):  # what an upgrade does with those that were kept before there were marks
        cursor.execute(import_module("generation.migrations.0017_who_gets_a_copy").UNSEALED)
    outbox.deliver_due(now=clock.now())
    master.refresh_from_db()
    assert (master.source_key, files.store().exists(key)) == ("", False)
    with pytest.raises(WrongState, match="were not kept"):
        references.last_of(caller=artist, video=master.video.public_id, now=now)


def _within(seconds: float, wanted: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not (found := wanted()) and time.monotonic() < until:
        time.sleep(0.02)
    return found

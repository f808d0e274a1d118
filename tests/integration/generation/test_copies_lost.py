"""Copies whose workers are lost: who else gets theirs, under which number, and what is left in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from access.caller import Caller
from audit import outbox
from core import clock
from generation import keys
from generation.models import Copy, Mark, Master
from generation.services import clips, copies, files
from generation.services.copyjobs import Job
from generation.spec import FileKind, FileMade
from generation.states import CopyState, Purpose
from generation.worker import copies as copying
from tests.factories.copies import LATER, claim, order, stored

pytestmark = pytest.mark.django_db(transaction=True)


def lost(times: int, now: datetime) -> datetime:
    """That many workers take up what comes first, and are never heard of again; then their leases have run out."""
    for _ in range(times):
        claim(now)
        now += LATER
    return now


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


def test_what_a_worker_stored_after_its_clip_was_deleted_goes_when_it_is_lost(
    artist: Caller, master: Master, now: datetime, tmp_path: Path
) -> None:
    """Between two looks at its lease: when the clip was deleted, there was nothing to remove yet."""
    order(master)
    job = claim(clock.now())
    clips.delete(video=master.video.public_id, by=artist.actor, now=clock.now())
    outbox.deliver_due(now=clock.now())
    stow(job, tmp_path)
    assert stored(master) == set()

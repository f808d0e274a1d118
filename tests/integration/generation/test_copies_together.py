"""Copies against the deletion of their clip, on connections of their own, and what the tables themselves hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeAlias

import pytest
from django.db import IntegrityError, connection, transaction

from access.caller import Caller
from audit import outbox
from core import clock
from generation.models import Copy, Mark, Master, Rendition
from generation.services import clips, copies, files
from generation.services.copyjobs import Job
from generation.states import CopyState, Purpose
from generation.worker import copies as copying
from generation.worker import run
from tests.factories.copies import ask, order
from tests.factories.generation import queued_video

Begin: TypeAlias = Callable[[Callable[[], Any]], Future[Any]]
pytestmark = pytest.mark.django_db(transaction=True)
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"


@pytest.fixture
def delete(artist: Caller, master: Master, now: datetime) -> Callable[[], None]:
    return lambda: clips.delete(video=master.video.public_id, by=artist.actor, now=now)


def claim() -> Job:
    job = copies.claim_next(now=clock.now())
    assert job is not None
    return job


def states() -> dict[str, str]:
    return dict(Copy.objects.values_list("recipient", "state"))


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begins a deed on another connection, and comes back when it waits for a lock of ours."""
    with ThreadPoolExecutor(1) as pool:

        def begun(deed: Callable[[], Any]) -> Future[Any]:
            found = pool.submit(_alone, deed)
            until = time.monotonic() + 10
            while not _somebody_waits():
                assert not found.done(), found.result()
                assert time.monotonic() < until, "it waits for nothing"
                time.sleep(0.01)
            return found

        yield begun


def _alone(deed: Callable[[], Any]) -> Any:
    try:
        return deed()
    finally:
        connection.close()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return bool(cursor.fetchone() != (0,))


def test_an_order_that_comes_before_the_deletion_is_ended_by_it(
    master: Master, delete: Callable[[], None], begin: Begin
) -> None:
    with transaction.atomic():
        order(master, "user:one")
        deleted = begin(delete)
    deleted.result(10)

    assert states() == {"user:one": CopyState.FAILED}
    assert copies.claim_next(now=clock.now()) is None


def test_an_order_that_comes_while_the_clip_is_deleted_makes_no_copy(
    master: Master, delete: Callable[[], None], begin: Begin
) -> None:
    with transaction.atomic():
        delete()
        ordered = begin(lambda: ask(master, "user:one"))
    ordered.result(10)

    assert states() == {}


def test_an_order_that_takes_a_spare_and_a_deletion_do_not_wait_for_each_other(
    master: Master, delete: Callable[[], None], begin: Begin
) -> None:
    copies.prepare(master=master.pk, now=clock.now())
    with transaction.atomic():
        order(master, "user:one")  # takes the spare
        copies.prepare(master=master.pk, now=clock.now())
        deleted = begin(delete)
        order(master, "user:two")  # takes the other one, when the deletion has begun
    deleted.result(10)

    assert states() == {"user:one": CopyState.FAILED, "user:two": CopyState.FAILED}


def test_an_order_goes_through_a_spare_that_was_there_when_the_deletion_began(
    master: Master, delete: Callable[[], None], begin: Begin
) -> None:
    copies.prepare(master=master.pk, now=clock.now())
    with transaction.atomic():
        copies.prepare(master=master.pk, now=clock.now())  # holds the clip, and makes nothing: one is there
        deleted = begin(delete)
        order(master, "user:one")
    deleted.result(10)

    assert states() == {"user:one": CopyState.FAILED}


def test_a_copy_that_is_finished_while_its_clip_is_deleted_is_not_and_leaves_no_file(
    master: Master, delete: Callable[[], None], begin: Begin
) -> None:
    order(master, "user:one")
    job = claim()
    with transaction.atomic():
        delete()
        made = begin(lambda: copying.make(job))
    assert made.result(10) is False
    outbox.deliver_due(now=clock.now())

    assert states() == {"user:one": CopyState.FAILED}
    assert not Rendition.objects.filter(removed_at=None).exists()
    assert not list(files.store().path(f"{master.video.public_id}/x.mp4").parent.glob("*"))


def test_a_copy_that_is_taken_up_while_its_clip_is_deleted_is_not_begun(
    master: Master, delete: Callable[[], None]
) -> None:
    """Claims wait for nobody: what is locked is passed over, and afterwards it is not there to be taken."""
    order(master, "user:one")
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        delete()
        assert pool.submit(_alone, lambda: copies.claim_next(now=clock.now())).result(10) is None
    assert copies.claim_next(now=clock.now()) is None


def test_a_copy_without_frames_is_neither_taken_up_nor_finished(master: Master) -> None:
    """However it came to be there."""
    order(master, "user:one")
    job = claim()
    order(master, "user:two")
    Master.objects.update(source_key="")

    assert copies.claim_next(now=clock.now()) is None
    assert copies.wake_waiting(now=clock.now()) is False
    assert copies.finish(job=job, files=[], keys={}, now=clock.now()) is False
    assert Copy.objects.get(recipient="user:one").state == CopyState.MAKING


def refused(change: str, constraint: str, *values: Any) -> None:
    """The statement, or the commit after it, is refused by that constraint."""
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        _execute(change, values)


def _execute(change: str, values: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(change, values)


def test_a_copy_and_its_files_agree_with_their_mark(artist: Caller, master: Master, now: datetime) -> None:
    queued_video(artist, now, seconds=2, size="640x360", seed=9)
    assert run.drain("turbo") == 1
    other = Master.objects.exclude(pk=master.pk).get()
    order(master, "user:one")
    assert copying.drain() == 1

    for column, value in (("master_id", other.pk), ("purpose", "token"), ("recipient", "user:two")):
        refused(f"UPDATE generation_copy SET {column} = %s", "copy_agrees_with_its_mark", value)  # noqa: S608
    for clip in (master, other):
        theirs = Mark.objects.get(master=clip, purpose=Purpose.MASTER)
        refused("UPDATE generation_copy SET mark_id = %s", "copy_agrees_with_its_mark", theirs.pk)
    refused(
        "UPDATE generation_rendition SET master_id = %s WHERE mark_id = %s",
        "rendition_agrees_with_its_mark",
        other.pk,
        Copy.objects.get().mark_id,
    )


def test_a_spare_is_handed_out_with_its_mark_or_not_at_all(master: Master) -> None:
    copies.prepare(master=master.pk, now=clock.now())
    claim()
    for table in ("copy", "mark"):
        change = f"UPDATE generation_{table} SET purpose = 'token', recipient = 'token:one'"  # noqa: S608
        refused(f"{change} WHERE purpose = 'spare'", "copy_agrees_with_its_mark")
    order(master, "user:one")
    assert states() == {"user:one": CopyState.MAKING}


def test_a_copy_that_is_begun_has_a_mark_and_a_codeword_has_eight_bytes(master: Master) -> None:
    order(master, "user:one")
    claim()
    refused("UPDATE generation_copy SET mark_id = NULL", "copy_begun_has_its_mark")
    for word in (b"", b"7 bytes", b"and nine."):
        refused(
            "INSERT INTO generation_mark (number, codeword, master_id, purpose, recipient, key_epoch, made_at) "
            "SELECT 5, %s, master_id, 'token', 'token:one', key_epoch, made_at FROM generation_mark LIMIT 1",
            "mark_codeword_has_8_bytes",
            word,
        )

"""A copy for each recipient: made once, from the native frames, by one worker, with a number of its own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from access.caller import Caller
from audit import outbox
from core import clock
from generation.models import Copy, Mark, Master, Rendition, Video
from generation.services import choices, clips, copies, files
from generation.states import EVERYBODY, CopyState, Purpose, Relation
from generation.worker import copies as copying
from generation.worker import run
from programme.models import Programme
from tests.factories.copies import order
from tests.factories.generation import completed_video, queued_video
from tests.rig.marked import X264, treated

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def master(artist: Caller, now: datetime) -> Master:
    """Of a rendered clip."""
    video = queued_video(artist, now, seconds=2, size="1280x720")
    assert run.drain("turbo") == 1
    return Master.objects.get(video__public_id=video)


def path(copy: Copy, kind: str = "mp4") -> Path:
    assert copy.mark is not None
    return files.store().path(copy.mark.renditions.get(kind=kind).storage_key)


def named(file: Path) -> list[str]:
    """Purposes of the copies that a trace names."""
    out = StringIO()
    call_command("trace", str(file), "--json", stdout=out)
    return [found["purpose"] for found in json.loads(out.getvalue().splitlines()[-1])["copies"]]


def test_each_recipient_gets_files_of_their_own_and_a_trace_names_theirs(
    master: Master, tmp_path: Path
) -> None:
    first, second = order(master, "user:one"), order(master, "user:two")
    public = order(master, EVERYBODY, Purpose.PUBLIC)
    assert copying.drain() == 3

    numbers = set()
    for copy in (first, second, public):
        copy.refresh_from_db()
        assert (copy.state, copy.lease_token) == (CopyState.READY, None)
        assert copy.mark is not None
        assert (copy.mark.purpose, copy.mark.recipient) == (copy.purpose, copy.recipient)
        assert set(copy.mark.renditions.values_list("kind", flat=True)) == {
            "mp4",
            "poster",
            "sprite",
            "vtt",
            "sheet",
        }
        numbers.add(copy.mark.number)
    assert len(numbers | {Mark.objects.get(purpose=Purpose.MASTER).number}) == 4
    posted = treated(path(public), tmp_path / "posted.mkv", "-vf", "scale=854:-2", *X264, "28")
    assert named(posted) == ["public"]
    assert named(path(second, "poster")) == ["screening"]


def test_asking_twice_is_asking_once(master: Master) -> None:
    one = order(master, "user:one")
    assert order(master, "user:one") == one
    assert copying.drain() == 1
    assert order(master, "user:one") == one
    assert copying.drain() == 0
    assert Copy.objects.count() == 1


def test_a_spare_goes_to_who_asks_first_without_being_made_again(master: Master) -> None:
    copies.prepare(master=master.pk, now=clock.now())
    copies.prepare(master=master.pk, now=clock.now())
    assert copying.drain() == 1
    spare = Copy.objects.get()
    assert spare.mark is not None
    assert (spare.mark.purpose, spare.mark.recipient) == ("spare", "")

    handed = order(master, "token:one", Purpose.TOKEN)

    assert handed.pk == spare.pk
    assert copying.drain() == 0
    mark = Mark.objects.get(pk=spare.mark.pk)
    assert (mark.purpose, mark.recipient, mark.number) == ("token", "token:one", spare.mark.number)
    other = order(master, "token:two", Purpose.TOKEN)
    assert (other.pk != handed.pk, other.state) == (True, CopyState.WAITING)


def test_what_an_artist_keeps_has_a_spare_before_anybody_asks(
    artist: Caller, master: Master, now: datetime
) -> None:
    assert artist.membership is not None
    for _ in range(2):
        choices.star(
            video=master.video.public_id, membership_id=artist.membership.id, by=artist.actor, now=now
        )
    assert list(Copy.objects.values_list("master_id", "purpose")) == [(master.pk, "spare")]

    final = queued_video(artist, now, seconds=2, size="640x360")
    Video.objects.filter(public_id=final).update(source=master.video, relation=Relation.FINAL)
    assert run.drain("turbo") == 1
    assert Copy.objects.filter(master__video__public_id=final, purpose="spare").count() == 1
    assert copying.drain() == 2


def test_a_mark_that_was_handed_out_stays_with_its_recipient(master: Master) -> None:
    order(master, "user:one")
    copying.drain()
    for change in (
        "UPDATE generation_mark SET recipient = 'user:two' WHERE purpose = 'screening'",
        "UPDATE generation_mark SET purpose = 'token' WHERE purpose = 'screening'",
        "UPDATE generation_mark SET purpose = 'spare', recipient = '' WHERE purpose = 'screening'",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


def test_a_spare_that_is_still_being_made_can_be_handed_out(master: Master) -> None:
    copies.prepare(master=master.pk, now=clock.now())
    job = copies.claim_next(now=clock.now())
    assert job is not None
    handed = order(master, "user:one")
    assert handed.state == CopyState.MAKING
    assert copying.make(job)
    handed.refresh_from_db()
    assert handed.mark is not None
    assert (handed.mark.purpose, handed.mark.recipient) == ("screening", "user:one")


def test_who_waits_comes_before_a_spare(master: Master) -> None:
    copies.prepare(master=master.pk, now=clock.now())
    Copy.objects.update(style="outline")  # of another look than who asks now: it cannot be handed to them
    asked = order(master, "user:one")
    job = copies.claim_next(now=clock.now())
    assert job is not None
    assert job.copy == asked.pk


def test_ten_who_ask_at_once_get_ten_copies_and_one_who_asks_ten_times_gets_one(master: Master) -> None:
    def ask(recipient: str) -> None:
        try:
            order(master, recipient)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(ask, [f"user:{number}" for number in range(10)]))
        list(pool.map(ask, ["user:same"] * 10))
    assert Copy.objects.count() == 11


def test_two_workers_never_make_the_same_copy(master: Master) -> None:
    for number in range(6):
        order(master, f"user:{number}")

    def claim(_: int) -> int:
        try:
            job = copies.claim_next(now=clock.now())
            assert job is not None
            return job.copy
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(claim, range(6)))) == 6


def test_a_lost_workers_copy_is_made_by_another_and_the_late_one_leaves_nothing(master: Master) -> None:
    order(master, "user:one")
    lost = copies.claim_next(now=clock.now() - copies.LEASE * 2)
    assert lost is not None
    assert copying.drain() == 1
    before = Rendition.objects.count()
    kept = {path for path in files.store().path("a/b.mp4").parents[1].rglob("*") if path.is_file()}

    assert copying.make(lost) is False

    assert Rendition.objects.count() == before
    assert {path for path in files.store().path("a/b.mp4").parents[1].rglob("*") if path.is_file()} == kept
    assert copies.prolong(job=lost, now=clock.now()) is False
    assert copies.fail(job=lost, error="late", transient=True, now=clock.now()) is False


def test_what_may_pass_is_tried_three_times_and_asking_again_begins_anew(
    master: Master, now: datetime
) -> None:
    stored = files.store().path(master.source_key)
    away = stored.with_suffix(".away")
    stored.rename(away)
    one = order(master, "user:one")
    for tried in range(1, copies.MOST_TRIES + 1):
        assert copying.drain() == 1
        one.refresh_from_db()
        assert one.tries == tried
        assert "cannot be opened" in one.error
        Copy.objects.update(retry_at=None)
    assert one.state == CopyState.FAILED
    assert copying.drain() == 0
    away.rename(stored)

    assert order(master, "user:one").state == CopyState.WAITING
    assert copying.drain() == 1
    one.refresh_from_db()
    assert one.state == CopyState.READY


def test_frames_that_were_changed_in_the_store_make_no_copy(master: Master) -> None:
    stored = files.store().path(master.source_key)
    body = bytearray(stored.read_bytes())
    body[len(body) // 2] ^= 1
    stored.write_bytes(body)
    one = order(master, "user:one")
    copying.drain()
    one.refresh_from_db()
    assert (one.state, one.made_at) == (CopyState.WAITING, None)
    assert not Rendition.objects.filter(mark=one.mark).exists()
    assert "was changed" in one.error


def test_a_deleted_clip_loses_all_its_copies_and_gets_no_more(
    artist: Caller, master: Master, now: datetime
) -> None:
    order(master, "user:one")
    copying.drain()
    waiting = order(master, "user:two")
    clips.delete(video=master.video.public_id, by=artist.actor, now=now)
    outbox.deliver_due(now=clock.now())

    waiting.refresh_from_db()
    assert waiting.state == CopyState.FAILED
    copies.order(master=master.pk, purpose=Purpose.SCREENING, recipient="user:three", now=now)
    assert copying.drain() == 0
    assert not Rendition.objects.filter(removed_at=None).exists()
    assert not list(files.store().path(f"{master.video.public_id}/x.mp4").parent.glob("*"))
    assert Mark.objects.count() == 2, "what was handed out can still be traced"


def test_nothing_unmarked_lies_in_the_store(master: Master) -> None:
    """The native frames are there, and say nothing without the key."""
    order(master, "user:one")
    copying.drain()
    folder = files.store().path(f"{master.video.public_id}/x.mp4").parent
    suffixes = sorted(path.suffix for path in folder.iterdir())
    assert suffixes == [".jpg"] * 6 + [".mp4"] * 2 + [".sealed"] + [".vtt"] * 2
    sealed = files.store().path(master.source_key).read_bytes()
    assert sealed.startswith(b"private-view sealed 1\n")
    assert b"matroska" not in sealed
    assert b"FFV1" not in sealed


def test_the_public_copy_looks_as_the_programme_wants(master: Master) -> None:
    Programme.objects.update(public_mark_style="discreet", mark_style="outline")
    assert order(master, EVERYBODY, Purpose.PUBLIC).style == "discreet"
    assert order(master, "user:one").style == "outline"
    assert copying.drain() == 2


def test_frames_that_are_the_same_for_every_clip_have_one_copy_for_all(artist: Caller, now: datetime) -> None:
    master = Master.objects.get(video__public_id=completed_video(artist, now))
    copies.order(master=master.pk, purpose=Purpose.SCREENING, recipient="user:one", now=now)
    copies.prepare(master=master.pk, now=now)
    assert not Copy.objects.exists()


def test_the_sweeper_wakes_a_worker_for_what_waits(master: Master) -> None:
    assert copies.wake_waiting(now=clock.now()) is False
    order(master, "user:one")
    assert copies.wake_waiting(now=clock.now()) is True
    job = copies.claim_next(now=clock.now())
    assert job is not None
    assert copies.wake_waiting(now=clock.now()) is False
    assert copies.wake_waiting(now=clock.now() + copies.LEASE + timedelta(seconds=1)) is True


def test_a_worker_of_its_own_makes_copies(master: Master, start_celery_worker: Any) -> None:
    """By the message alone, in another process, with the keys that it was given."""
    start_celery_worker("copies")
    one = order(master, "user:one")
    deadline = clock.now() + timedelta(seconds=60)
    while one.state != CopyState.READY and clock.now() < deadline:
        one.refresh_from_db()
    assert one.state == CopyState.READY, one.error

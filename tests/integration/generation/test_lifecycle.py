from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from access.caller import Caller
from audit.models import AuditEvent, OutboxEvent
from core.errors import NotFound, WrongState
from generation import queries
from generation.models import Attempt, Master, Rendition, Video
from generation.services import clips, files, lifecycle, requests
from generation.services.lifecycle import LEASE, Claim
from generation.states import TRANSITIONS, AttemptEnd, VideoState
from generation.worker import writing
from programme.queries import quota_today
from tests.factories.generation import claim, completed_video, finish, produced, queued_video, video_at

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def _state(video: str) -> VideoState:
    clip = queries.clip(video)
    assert clip is not None
    return clip.state


def _quota(caller: Caller, now: datetime) -> tuple[int, int]:
    assert caller.membership is not None
    quota = quota_today(caller.membership.id, now)
    return quota.reserved, quota.used


def _cancel(video: str, caller: Caller, now: datetime) -> None:
    assert caller.membership is not None
    requests.cancel(video=video, membership_id=caller.membership.id, by=caller.actor, now=now)


def test_claims_the_oldest_first_and_each_video_once(artist: Caller, now: datetime) -> None:
    first, second = queued_video(artist, now), queued_video(artist, now + SECOND)

    assert [claim(now + SECOND).video, claim(now + SECOND).video] == [first, second]
    assert lifecycle.claim_next(lane="turbo", worker="w", now=now + SECOND) is None
    assert lifecycle.claim_next(lane="full", worker="w", now=now) is None


def test_finish_makes_one_master_with_its_files_and_charges_the_quota(artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now, seconds=6)

    clip = queries.clip(video)
    assert clip is not None
    assert clip.state == VideoState.COMPLETED
    assert clip.master is not None
    assert {made.kind for made in clip.master.renditions} == {"mp4", "poster", "sprite", "vtt", "sheet"}
    assert all(files.store().exists(made.storage_key) for made in clip.master.renditions)
    assert _quota(artist, now) == (0, 6)
    assert Attempt.objects.get().end == AttemptEnd.FINISHED
    assert AuditEvent.objects.latest("seq").action == "video.completed"
    assert OutboxEvent.objects.filter(topic="video.completed", payload={"video": video}).count() == 1


def test_a_worker_that_was_given_up_for_lost_cannot_finish(artist: Caller, now: datetime) -> None:
    video = queued_video(artist, now)
    lost = claim(now, worker="first")
    later = now + LEASE + SECOND
    assert lifecycle.reap(now=later) == 1
    heir = claim(later, worker="second")

    assert heir.video == video
    assert not finish(lost, later)
    assert finish(heir, later)
    assert not finish(heir, later)
    assert lifecycle.has_finished(lease=heir.lease)
    assert not lifecycle.has_finished(lease=lost.lease)
    assert Master.objects.count() == 1
    assert list(Attempt.objects.values_list("end", flat=True)) == [AttemptEnd.LOST, AttemptEnd.FINISHED]
    assert not lifecycle.heartbeat(lease=lost.lease, now=later)


def test_a_commit_whose_answer_was_lost_keeps_its_clip(
    artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued_video(artist, now)
    held = claim(now)
    answers = iter((OperationalError("server closed the connection"), None))

    def write() -> bool:
        done = finish(held, now)
        if fault := next(answers):
            raise fault
        return done

    monkeypatch.setattr(
        writing, "connection", SimpleNamespace(close=lambda: None)
    )  # keeps the test's transaction

    assert writing.surely(write, written=lambda: lifecycle.has_finished(lease=held.lease))


def test_a_heartbeat_keeps_the_lease(artist: Caller, now: datetime) -> None:
    queued_video(artist, now)
    held = claim(now)

    assert lifecycle.heartbeat(lease=held.lease, now=now + timedelta(seconds=50))

    assert lifecycle.reap(now=now + timedelta(seconds=100)) == 0
    assert lifecycle.reap(now=now + timedelta(seconds=111)) == 1


def test_is_set_aside_with_a_sentence_after_two_lost_workers_and_gives_the_quota_back(
    artist: Caller, now: datetime
) -> None:
    video = queued_video(artist, now)
    for number in range(2):
        assert _state(video) == VideoState.QUEUED
        assert claim(now).attempt == number + 1
        now += LEASE + SECOND
        lifecycle.reap(now=now)

    clip = queries.clip(video)
    assert clip is not None
    assert clip.state == VideoState.FAILED
    assert clip.error_code == "set_aside"
    assert "Nothing was charged" in clip.error_sentence
    assert _quota(artist, now) == (0, 0)
    assert lifecycle.claim_next(lane="turbo", worker="w", now=now) is None


def test_a_passing_fault_is_tried_again_after_a_while_and_a_fault_of_ours_is_not(
    artist: Caller, now: datetime
) -> None:
    video = queued_video(artist, now)
    lifecycle.fail(claim=claim(now), error="disk is full", transient=True, now=now)

    assert lifecycle.claim_next(lane="turbo", worker="w", now=now + SECOND) is None
    later = now + timedelta(seconds=30)
    lifecycle.fail(claim=claim(later), error="TypeError: ...", transient=False, now=later)

    clip = queries.clip(video)
    assert clip is not None
    assert clip.state == VideoState.FAILED
    assert "TypeError" not in clip.error_sentence
    assert _quota(artist, now) == (0, 0)


@pytest.mark.parametrize("state", [VideoState.QUEUED, VideoState.IN_PROGRESS])
def test_cancel_stops_an_open_render_and_gives_the_quota_back(
    artist: Caller, now: datetime, state: VideoState
) -> None:
    video = video_at(state, artist, now)
    held = Attempt.objects.first()

    _cancel(video, artist, now)

    assert _state(video) == VideoState.CANCELLED
    assert _quota(artist, now) == (0, 0)
    if held is not None:
        assert not lifecycle.heartbeat(lease=held.lease_token, now=now)


@pytest.mark.parametrize("state", [VideoState.COMPLETED, VideoState.FAILED, VideoState.CANCELLED])
def test_cancel_refuses_what_has_ended_and_changes_nothing(
    artist: Caller, now: datetime, state: VideoState
) -> None:
    video = video_at(state, artist, now)
    before = (Video.objects.values().get(), AuditEvent.objects.count(), _quota(artist, now))

    with pytest.raises(WrongState):
        _cancel(video, artist, now)

    assert (Video.objects.values().get(), AuditEvent.objects.count(), _quota(artist, now)) == before


def test_cancel_of_a_foreign_video_is_not_found(artist: Caller, other_artist: Caller, now: datetime) -> None:
    video = queued_video(artist, now)

    with pytest.raises(NotFound):
        _cancel(video, other_artist, now)

    assert _state(video) == VideoState.QUEUED


Step = Callable[[Claim, Caller, datetime], Any]
STEPS: dict[VideoState, Step] = {
    VideoState.QUEUED: lambda held, _, now: lifecycle.fail(claim=held, error="x", transient=True, now=now),
    VideoState.IN_PROGRESS: lambda _held, _, now: lifecycle.claim_next(lane="turbo", worker="w", now=now),
    VideoState.COMPLETED: lambda held, _, now: finish(held, now),
    VideoState.FAILED: lambda held, _, now: lifecycle.reject(claim=held, code="c", sentence="s", now=now),
    VideoState.CANCELLED: lambda held, caller, now: _cancel(held.video, caller, now),
}


@pytest.mark.parametrize("target", VideoState)
@pytest.mark.parametrize("start", VideoState)
def test_each_service_moves_a_video_exactly_as_the_table_says(
    artist: Caller, now: datetime, start: VideoState, target: VideoState
) -> None:
    video = video_at(start, artist, now)
    row = Video.objects.get()
    attempt = Attempt.objects.filter(video=row).first()
    lease = attempt.lease_token if attempt else uuid4()
    held = Claim(
        video=video, video_id=row.pk, lease=lease, attempt=1, code=row.code, mark_text="m", backend="null",
        checkpoint="", prompt="p", seed=1, width=1280, height=720, seconds=4, fps=24, steps=8, guidance=2.0,
    )  # fmt: skip
    before = Video.objects.values().get()

    with contextlib.suppress(WrongState):
        STEPS[target](held, artist, now)

    if target in TRANSITIONS[start]:
        assert _state(video) == target
    else:
        assert Video.objects.values().get() == before


def test_delete_removes_the_files_and_keeps_rows_and_digests(artist: Caller, now: datetime) -> None:
    from audit import outbox

    video = completed_video(artist, now)
    keys = list(Rendition.objects.values_list("storage_key", flat=True))
    digests = set(Rendition.objects.values_list("sha256", flat=True))

    clips.delete(video=video, by=artist.actor, now=now)
    outbox.deliver_due(now=now)

    assert artist.membership is not None
    assert queries.own_clip(video, artist.membership.id) is None
    assert not any(files.store().exists(key) for key in keys)
    assert set(Rendition.objects.values_list("sha256", flat=True)) == digests
    with pytest.raises(NotFound):
        clips.delete(video=video, by=artist.actor, now=now)


def test_deleting_a_running_render_stops_it_first(artist: Caller, now: datetime) -> None:
    video = video_at(VideoState.IN_PROGRESS, artist, now)

    clips.delete(video=video, by=artist.actor, now=now)

    assert _state(video) == VideoState.CANCELLED
    assert _quota(artist, now) == (0, 0)


@pytest.mark.parametrize("end", ["lost", "cancelled"])
def test_the_files_of_an_attempt_that_gave_no_result_are_purged(
    artist: Caller, now: datetime, tmp_path: Path, end: str
) -> None:
    from audit import outbox

    video = queued_video(artist, now)
    lost = claim(now)
    result = produced(lost, tmp_path)
    for made in result.files:
        files.store().put(made.path, key=files.key(lost.video, lost.lease, made.kind))
    later = now + LEASE + SECOND

    if end == "lost":
        lifecycle.reap(now=later)
    else:
        _cancel(video, artist, later)
    outbox.deliver_due(now=later)

    assert not any(files.store().exists(key) for key in files.keys(lost.video, lost.lease))


@pytest.mark.django_db(transaction=True)
def test_eight_workers_never_take_the_same_video(artist: Caller, now: datetime) -> None:
    wanted = {queued_video(artist, now, seconds=2) for _ in range(12)}
    taken: list[str] = []

    def work() -> None:
        try:
            while held := lifecycle.claim_next(lane="turbo", worker="w", now=now):
                taken.append(held.video)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(wanted)


@pytest.mark.django_db(transaction=True)
def test_of_two_that_finish_at_once_one_wins(artist: Caller, now: datetime) -> None:
    queued_video(artist, now)
    held = claim(now)
    outcomes: list[bool] = []

    def work() -> None:
        try:
            outcomes.append(finish(replace(held), now))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [False, False, False, True]
    assert _quota(artist, now) == (0, held.seconds)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "in_progress"},
        {"state": "completed"},
        {"state": "failed", "error_code": ""},
        {"state": "nonsense"},
        {"lease_token": uuid4()},
    ],
)
def test_the_database_refuses_rows_that_contradict_themselves(
    artist: Caller, now: datetime, change: dict[str, Any]
) -> None:
    queued_video(artist, now)

    with pytest.raises(IntegrityError), transaction.atomic():
        Video.objects.update(**change)

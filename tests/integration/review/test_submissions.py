from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from access.caller import Caller
from audit.models import AuditEvent, OutboxEvent
from core.errors import DomainError, Invalid, NotFound, WrongState
from generation.services import clips
from generation.states import VideoState
from review.models import PolicyVersion, ReviewCase, ReviewTask, Submission
from review.rules import REVIEW_TIME
from review.services import submissions
from review.states import GrantState, SubmissionState
from tests.factories.generation import completed_video, video_at
from tests.factories.review import asked, asked_at, claimed, everything, share_at

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=5)


def test_opens_a_case_with_a_task_that_is_due_in_48_hours(artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now)

    submission = submissions.submit(
        video=video, title=" Harbour ", note="one\r\ntwo", show_seed=True, by=artist.actor, now=now
    )

    row = Submission.objects.get()
    case, task = ReviewCase.objects.get(), ReviewTask.objects.get()
    assert (row.public_id, row.title, row.note, row.state) == (submission, "Harbour", "one\ntwo", "open")
    assert (row.show_prompt, row.show_seed, row.show_variant) == (False, True, False)
    assert (case.submission, case.master_id, case.state) == (row, row.master_id, "queued")
    assert (case.artist_id, case.due_at) == (artist.user_id, now + REVIEW_TIME)
    assert (task.case, task.state, task.due_at) == (case, "queued", now + REVIEW_TIME)
    last = AuditEvent.objects.latest("seq")
    assert (last.action, last.target, last.actor) == ("share.submitted", submission, str(artist.actor))
    assert OutboxEvent.objects.filter(topic="share.submitted", payload__video=video).count() == 1


@pytest.mark.parametrize(
    "state", [VideoState.QUEUED, VideoState.IN_PROGRESS, VideoState.FAILED, VideoState.CANCELLED]
)
def test_refuses_a_clip_that_is_not_finished(artist: Caller, now: datetime, state: VideoState) -> None:
    video = video_at(state, artist, now)

    _refused("not_completed", WrongState, video=video, by=artist.actor, now=now)


def test_refuses_somebody_elses_clip_as_if_it_were_not_there(
    artist: Caller, second_artist: Caller, reviewer: Caller, now: datetime
) -> None:
    video = completed_video(artist, now)

    for stranger in (second_artist, reviewer):
        _refused("not_found", NotFound, video=video, by=stranger.actor, now=now)
    _refused("not_found", NotFound, video="video_nothing", by=artist.actor, now=now)


def test_refuses_a_deleted_clip(artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now)
    clips.delete(video=video, by=artist.actor, now=now)

    _refused("not_found", NotFound, video=video, by=artist.actor, now=now)


@pytest.mark.parametrize("state", [SubmissionState.OPEN, SubmissionState.CHANGES_ASKED])
def test_refuses_a_second_wish_while_one_is_undecided(
    artist: Caller, reviewer: Caller, now: datetime, state: SubmissionState
) -> None:
    made = asked_at(state, artist, reviewer, now)

    _refused("already_in_review", WrongState, video=made.video, by=artist.actor, now=now)


def test_refuses_a_clip_that_is_on_view_and_takes_it_again_once_revoked(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    shown, _ = share_at(GrantState.ACTIVE, artist, reviewer, now)
    taken_back, _ = share_at(GrantState.REVOKED, artist, reviewer, now)

    _refused("already_on_view", WrongState, video=shown.video, by=artist.actor, now=now)
    submissions.submit(video=taken_back.video, title="Again", by=artist.actor, now=now)


def test_refuses_when_no_policy_is_published(artist_without_policy: Caller, now: datetime) -> None:
    assert not PolicyVersion.objects.exists()
    video = completed_video(artist_without_policy, now)

    _refused("no_policy", WrongState, video=video, by=artist_without_policy.actor, now=now)


def test_names_each_bad_field(artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now)

    error = _refused(
        "invalid_request", Invalid, video=video, title="x" * 121, note="\x00", by=artist.actor, now=now
    )
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"title", "note"}


def test_sends_an_answer_to_the_same_case_with_a_new_task_and_time_limit(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked_at(SubmissionState.CHANGES_ASKED, artist, reviewer, now)

    submissions.resubmit(
        submission=made.submission, title="Harbour at six", show_prompt=True, by=artist.actor, now=now + LATER
    )

    case = ReviewCase.objects.get(public_id=made.case)
    row = Submission.objects.get(case=case)
    assert (row.state, row.title, row.note, row.show_prompt) == ("open", "Harbour at six", "", True)
    assert (case.state, case.due_at) == ("queued", now + LATER + REVIEW_TIME)
    assert [task.state for task in case.tasks.order_by("id")] == ["decided", "queued"]
    assert claimed(reviewer, now + LATER).case == made.case


def test_withdrawing_takes_the_case_from_whoever_holds_it(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    claimed(reviewer, now)

    submissions.withdraw(submission=made.submission, by=artist.actor, now=now)

    case = ReviewCase.objects.get(public_id=made.case)
    task = ReviewTask.objects.get(case=case)
    assert (case.state, case.closed_at) == ("withdrawn", now)
    assert (task.state, task.lease_reviewer_id, task.lease_token) == ("cancelled", None, None)


def test_only_the_artist_changes_or_withdraws_a_submission(
    artist: Caller, second_artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked_at(SubmissionState.CHANGES_ASKED, artist, reviewer, now)
    before = everything()

    for stranger in (second_artist, reviewer):
        with pytest.raises(NotFound):
            submissions.withdraw(submission=made.submission, by=stranger.actor, now=now)
        with pytest.raises(NotFound):
            submissions.resubmit(submission=made.submission, title="Mine", by=stranger.actor, now=now)
    assert everything() == before


def _refused(code: str, family: type[DomainError], **arguments: Any) -> DomainError:
    before = everything()
    with pytest.raises(family) as refused:
        submissions.submit(**({"title": "Harbour"} | arguments))
    assert refused.value.code == code
    assert everything() == before
    return refused.value

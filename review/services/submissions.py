"""Asking to share, changing what was asked, and taking the wish back."""

from __future__ import annotations

from datetime import datetime

from audit import log, outbox
from core.actors import Actor
from core.errors import NotFound, WrongState
from core.states import check
from generation import queries as generation
from generation.queries import ClipView, MasterView
from generation.services import clips, copies
from generation.states import EVERYBODY, Purpose, VideoState
from review.models import PolicyVersion, ReleaseGrant, ReviewCase, ReviewTask, Submission
from review.rules import REVIEW_TIME, Wish, check_can_share, check_wish
from review.states import (
    CASE,
    SUBMISSION,
    TASK_OPEN,
    UNDECIDED,
    CaseState,
    GrantState,
    SubmissionState,
    TaskState,
)


def submit(
    *,
    video: str,
    title: str,
    note: str = "",
    show_prompt: bool = False,
    show_seed: bool = False,
    show_variant: bool = False,
    by: Actor,
    now: datetime,
) -> str:
    """Put one's own finished clip before a reviewer and return the submission's public id.

    `title` and the facts that are shown go public with an approval; `note` is for the reviewer.

    Raises NotFound for a clip that is not the actor's, Invalid naming each bad field, WrongState when the clip
    is unfinished, in review or on view already, or when the programme has published no policy.
    """
    with log.transaction() as events:
        clip, master = _own_clip(video, by)
        asked = check_wish(Wish(title, note, show_prompt, show_seed, show_variant))
        row = Submission.objects.create(
            video_id=clip.id,
            master_id=master.id,
            membership_id=clip.membership_id,
            title=asked.title,
            note=asked.note,
            show_prompt=asked.show_prompt,
            show_seed=asked.show_seed,
            show_variant=asked.show_variant,
            created_at=now,
        )
        case = ReviewCase.objects.create(
            submission=row,
            master_id=master.id,
            programme_id=clip.programme_id,
            artist_id=clip.artist_id,
            opened_at=now,
            due_at=now + REVIEW_TIME,
        )
        ReviewTask.objects.create(case=case, opened_at=now, due_at=case.due_at)
        # Ready when a reviewer comes, and when the clip is approved.
        copies.order(master=master.id, purpose=Purpose.PUBLIC, recipient=EVERYBODY, now=now)
        copies.prepare(master=master.id, now=now)
        outbox.add(topic="share.submitted", payload={"video": video, "submission": row.public_id}, now=now)
        events.record(
            action="share.submitted",
            actor=by,
            target=row.public_id,
            now=now,
            data={"video": video, "case": case.public_id, "master_sha256": master.frames_sha256},
        )
    return row.public_id


def resubmit(
    *,
    submission: str,
    title: str,
    note: str = "",
    show_prompt: bool = False,
    show_seed: bool = False,
    show_variant: bool = False,
    by: Actor,
    now: datetime,
) -> None:
    """Answer what was asked for: the same case, a new task, a new time limit.

    Raises NotFound for a submission that is not the actor's, Invalid, or WrongState unless changes were asked.
    """
    with log.transaction() as events:
        row = _own_submission(submission, by)
        check(
            SUBMISSION,
            SubmissionState(row.state),
            SubmissionState.OPEN,
            sentence="Nobody asked for changes here.",
        )
        asked = check_wish(Wish(title, note, show_prompt, show_seed, show_variant))
        Submission.objects.filter(pk=row.pk).update(
            title=asked.title,
            note=asked.note,
            show_prompt=asked.show_prompt,
            show_seed=asked.show_seed,
            show_variant=asked.show_variant,
            state=SubmissionState.OPEN,
        )
        case = row.case
        check(CASE, CaseState(case.state), CaseState.QUEUED)
        due_at = now + REVIEW_TIME
        ReviewTask.objects.create(case=case, opened_at=now, due_at=due_at)
        ReviewCase.objects.filter(pk=case.pk).update(state=CaseState.QUEUED, due_at=due_at)
        outbox.add(
            topic="share.resubmitted",
            payload={"video": row.video.public_id, "submission": submission},
            now=now,
        )
        events.record(
            action="share.resubmitted", actor=by, target=submission, now=now, data={"case": case.public_id}
        )


def withdraw(*, submission: str, by: Actor, now: datetime) -> None:
    """Take the wish back before a decision; a lease on it ends.

    Raises NotFound for a submission that is not the actor's, WrongState once it is decided.
    """
    with log.transaction() as events:
        row = _own_submission(submission, by)
        close_as_withdrawn(row, by=by, now=now, events=events)


def close_as_withdrawn(row: Submission, *, by: Actor, now: datetime, events: log.Log) -> None:
    """Withdraw a submission whose clip is held by this transaction. Raises WrongState once it is decided."""
    sentence = "This is decided already; there is nothing left to withdraw."
    check(SUBMISSION, SubmissionState(row.state), SubmissionState.WITHDRAWN, sentence=sentence)
    Submission.objects.filter(pk=row.pk).update(state=SubmissionState.WITHDRAWN, closed_at=now)
    ReviewTask.objects.filter(case=row.case, state__in=TASK_OPEN).update(
        state=TaskState.CANCELLED,
        lease_reviewer=None,
        lease_token=None,
        lease_started_at=None,
        lease_expires_at=None,
    )
    ReviewCase.objects.filter(pk=row.case.pk).update(state=CaseState.WITHDRAWN, closed_at=now)
    payload = {"video": row.video.public_id, "submission": row.public_id}
    outbox.add(topic="share.withdrawn", payload=payload, now=now)
    events.record(
        action="share.withdrawn", actor=by, target=row.public_id, now=now, data={"case": row.case.public_id}
    )


def _own_clip(video: str, by: Actor) -> tuple[ClipView, MasterView]:
    """The actor's clip, held, if it may be shared now."""
    found = generation.clip(video)
    if found is None or found.deleted_at is not None or found.artist_id != by.user_id:
        raise NotFound("not_found", "There is no such clip.")
    clips.hold(video_id=found.id)
    clip = generation.clips([found.id])[found.id]  # again, now that nobody else can change it
    if clip.deleted_at is not None:
        raise NotFound("not_found", "There is no such clip.")
    check_can_share(
        completed=clip.state == VideoState.COMPLETED and clip.master is not None,
        undecided=Submission.objects.filter(video_id=clip.id, state__in=UNDECIDED).exists(),
        on_view=ReleaseGrant.objects.filter(video_id=clip.id, state=GrantState.ACTIVE).exists(),
        policy=PolicyVersion.objects.filter(
            programme_id=clip.programme_id, published_at__isnull=False
        ).exists(),
    )
    if clip.master is None:
        raise WrongState("not_completed", "Only a finished clip can be shared.")
    return clip, clip.master


def _own_submission(submission: str, by: Actor) -> Submission:
    """The actor's submission, its clip held."""
    rows = Submission.objects.select_related("video", "case").filter(public_id=submission)
    found = rows.filter(membership__user_id=by.user_id).first() if by.user_id is not None else None
    if found is None:
        raise NotFound("not_found", "There is no such submission.")
    clips.hold(video_id=found.video_id)
    return rows.get()

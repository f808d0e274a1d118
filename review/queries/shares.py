"""What a clip's artist reads about sharing it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from review.models import ReleaseGrant, Submission
from review.queries import decisions
from review.queries.decisions import DecisionView
from review.queries.paging import after_row
from review.rules import Wish
from review.states import GrantState, ShareWord, SubmissionState

# Written by hand: clients that wait for a clip repeat it.
_LATEST = """
    SELECT DISTINCT ON (s.video_id) s.id, s.public_id, s.video_id, s.state, s.created_at,
           s.title, s.note, s.show_prompt, s.show_seed, s.show_variant, c.id, c.due_at
    FROM review_submission s JOIN review_reviewcase c ON c.submission_id = s.id
    WHERE s.video_id = ANY(%(videos)s) AND s.state <> %(withdrawn)s
    ORDER BY s.video_id, s.created_at DESC, s.id DESC
"""


class _Submitted(NamedTuple):
    """A row of _LATEST."""

    id: int
    public_id: str
    video_id: int
    state: str
    created_at: datetime
    title: str
    note: str
    show_prompt: bool
    show_seed: bool
    show_variant: bool
    case_id: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ShareState:
    """`state` in the artist's words, and what belongs to it. `grant` is the id in `/s/<id>`."""

    state: ShareWord = ShareWord.PRIVATE
    submission: str | None = None
    wish: Wish | None = None
    submitted_at: datetime | None = None
    due_at: datetime | None = None
    decision: DecisionView | None = None
    grant: str | None = None
    revoked_at: datetime | None = None
    revoked_by_role: str | None = None
    revoked_reason: str | None = None


@dataclass(frozen=True, slots=True)
class SubmissionView:
    public_id: str
    video: str
    wish: Wish
    state: SubmissionState
    created_at: datetime
    due_at: datetime
    closed_at: datetime | None
    decision: DecisionView | None


def share_state(video_ids: Iterable[int], *, now: datetime) -> dict[int, ShareState]:
    """The state of sharing of each clip; a withdrawn submission leaves it as it was before.

    One statement where none was ever submitted, four otherwise.
    """
    asked = list(video_ids)
    rows = _latest(asked)
    if not rows:
        return {video: ShareState() for video in asked}
    made = decisions.of_cases(row.case_id for row in rows)
    grants = ReleaseGrant.objects.filter(submission__in=[row.id for row in rows])
    given = {grant.submission_id: grant for grant in grants}
    found = {row.video_id: _state(row, _last(made.get(row.case_id)), given.get(row.id), now) for row in rows}
    return {video: found.get(video, ShareState()) for video in asked}


def submissions_of(membership_id: int, *, limit: int, after: str | None = None) -> list[SubmissionView]:
    """A member's submissions, newest first, following `after`. Three statements, one more with `after`."""
    own = Submission.objects.filter(membership_id=membership_id).select_related("case", "video")
    rows = list(after_row(own, after, key="created_at", descending=True)[:limit])
    made = decisions.of_cases(row.case.pk for row in rows)
    return [
        SubmissionView(
            public_id=row.public_id,
            video=row.video.public_id,
            wish=wish_of(row),
            state=SubmissionState(row.state),
            created_at=row.created_at,
            due_at=row.case.due_at,
            closed_at=row.closed_at,
            decision=_last(made.get(row.case.pk)),
        )
        for row in rows
    ]


def _latest(video_ids: list[int]) -> list[_Submitted]:
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, {"videos": video_ids, "withdrawn": SubmissionState.WITHDRAWN.value})
        return [_Submitted(*row) for row in cursor.fetchall()]


def _last(made: list[DecisionView] | None) -> DecisionView | None:
    return made[-1] if made else None


def wish_of(row: Submission | _Submitted) -> Wish:
    return Wish(row.title, row.note, row.show_prompt, row.show_seed, row.show_variant)


def _state(
    row: _Submitted, decision: DecisionView | None, grant: ReleaseGrant | None, now: datetime
) -> ShareState:
    in_review = row.state == SubmissionState.OPEN
    revoked = grant if grant is not None and grant.state == GrantState.REVOKED else None
    return ShareState(
        state=_word(row, grant, now),
        submission=row.public_id,
        wish=wish_of(row),
        submitted_at=row.created_at,
        due_at=row.due_at if in_review else None,
        decision=decision,
        grant=grant.public_id if grant else None,
        revoked_at=revoked.revoked_at if revoked else None,
        revoked_by_role=revoked.revoked_by_role if revoked else None,
        revoked_reason=revoked.revoked_reason if revoked else None,
    )


def _word(row: _Submitted, grant: ReleaseGrant | None, now: datetime) -> ShareWord:
    words = {
        SubmissionState.OPEN: ShareWord.IN_REVIEW,
        SubmissionState.CHANGES_ASKED: ShareWord.CHANGES_ASKED,
        SubmissionState.REFUSED: ShareWord.NOT_SHOWN,
    }
    if grant is None:
        return words.get(SubmissionState(row.state), ShareWord.PRIVATE)
    if grant.state == GrantState.REVOKED:
        return ShareWord.REVOKED
    ended = grant.expires_at is not None and grant.expires_at <= now
    return ShareWord.ON_VIEW if grant.state == GrantState.ACTIVE and not ended else ShareWord.PRIVATE

"""The states of a submission, its case, the tasks at the desk and the grant. Moves as data.

`held`, `escalated`, `scheduled`, `suspended` and `expired` are names the tables know already; no move leads
there yet, so they stand in no transition table.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from core.states import Transitions


class SubmissionState(models.TextChoices):
    OPEN = "open", "in review"
    CHANGES_ASKED = "changes_asked", "changes asked"
    APPROVED = "approved", "on view"
    REFUSED = "refused", "not shown"
    WITHDRAWN = "withdrawn", "withdrawn"


SUBMISSION: Transitions[SubmissionState] = {
    SubmissionState.OPEN: frozenset(
        {
            SubmissionState.CHANGES_ASKED,
            SubmissionState.APPROVED,
            SubmissionState.REFUSED,
            SubmissionState.WITHDRAWN,
        }
    ),
    SubmissionState.CHANGES_ASKED: frozenset({SubmissionState.OPEN, SubmissionState.WITHDRAWN}),
    SubmissionState.APPROVED: frozenset(),
    SubmissionState.REFUSED: frozenset(),
    SubmissionState.WITHDRAWN: frozenset(),
}
UNDECIDED = frozenset({SubmissionState.OPEN, SubmissionState.CHANGES_ASKED})


class CaseState(models.TextChoices):
    QUEUED = "queued", "queued"
    IN_REVIEW = "in_review", "in review"
    AWAITING_ARTIST = "awaiting_artist", "waiting for the artist"
    HELD = "held", "held"
    ESCALATED = "escalated", "escalated"
    APPROVED = "approved", "approved"
    REFUSED = "refused", "refused"
    WITHDRAWN = "withdrawn", "withdrawn"


CASE: Transitions[CaseState] = {
    CaseState.QUEUED: frozenset({CaseState.IN_REVIEW, CaseState.WITHDRAWN}),
    CaseState.IN_REVIEW: frozenset(
        {
            CaseState.QUEUED,  # handed back, or the lease lapsed
            CaseState.AWAITING_ARTIST,
            CaseState.APPROVED,
            CaseState.REFUSED,
            CaseState.WITHDRAWN,
        }
    ),
    CaseState.AWAITING_ARTIST: frozenset({CaseState.QUEUED, CaseState.WITHDRAWN}),
    CaseState.APPROVED: frozenset(),
    CaseState.REFUSED: frozenset(),
    CaseState.WITHDRAWN: frozenset(),
}
CASE_CLOSED = frozenset({CaseState.APPROVED, CaseState.REFUSED, CaseState.WITHDRAWN})


class TaskState(models.TextChoices):
    QUEUED = "queued", "queued"
    LEASED = "leased", "leased"
    DECIDED = "decided", "decided"
    CANCELLED = "cancelled", "cancelled"


TASK: Transitions[TaskState] = {
    TaskState.QUEUED: frozenset({TaskState.LEASED, TaskState.CANCELLED}),
    TaskState.LEASED: frozenset({TaskState.QUEUED, TaskState.DECIDED, TaskState.CANCELLED}),
    TaskState.DECIDED: frozenset(),
    TaskState.CANCELLED: frozenset(),
}
TASK_OPEN = frozenset({TaskState.QUEUED, TaskState.LEASED})


class GrantState(models.TextChoices):
    SCHEDULED = "scheduled", "scheduled"
    ACTIVE = "active", "on view"
    SUSPENDED = "suspended", "suspended"
    REVOKED = "revoked", "revoked"
    EXPIRED = "expired", "expired"


GRANT: Transitions[GrantState] = {
    GrantState.ACTIVE: frozenset({GrantState.REVOKED}),
    GrantState.REVOKED: frozenset(),
}

MACHINES: dict[str, tuple[Transitions[Any], tuple[Any, ...]]] = {
    "Submission": (SUBMISSION, (SubmissionState.OPEN,)),
    "ReviewCase": (CASE, (CaseState.QUEUED,)),
    "ReviewTask": (TASK, (TaskState.QUEUED,)),
    "ReleaseGrant": (GRANT, (GrantState.ACTIVE,)),
}


class Outcome(models.TextChoices):
    APPROVE = "approve", "approved"
    CHANGES = "changes", "changes asked"
    REFUSE = "refuse", "not shown"


class RevokerRole(models.TextChoices):
    ARTIST = "artist", "the artist"
    OPERATOR = "operator", "the programme"


AFTER: dict[Outcome, tuple[SubmissionState, CaseState]] = {
    Outcome.APPROVE: (SubmissionState.APPROVED, CaseState.APPROVED),
    Outcome.CHANGES: (SubmissionState.CHANGES_ASKED, CaseState.AWAITING_ARTIST),
    Outcome.REFUSE: (SubmissionState.REFUSED, CaseState.REFUSED),
}
"""What a decision makes of the submission and its case."""


class ShareWord(models.TextChoices):
    """What a clip's artist reads about sharing it; made from the latest submission and its grant."""

    PRIVATE = "private", "private"
    IN_REVIEW = "in_review", "in review"
    CHANGES_ASKED = "changes_asked", "changes asked"
    NOT_SHOWN = "not_shown", "not shown"
    ON_VIEW = "on_view", "on view"
    REVOKED = "revoked", "revoked"

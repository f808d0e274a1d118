"""What the desk reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from core.errors import NotFound
from generation import queries as generation
from generation.queries import ClipView
from review.models import Decision, ReviewCase, ReviewTask
from review.queries import decisions
from review.queries.decisions import DecisionView
from review.queries.paging import after_row
from review.queries.policies import PolicyView, current_policy
from review.rules import LEASE_LIMIT, Wish
from review.states import TASK_OPEN, CaseState, TaskState
from roles.queries import scopes_of
from roles.roles import Permission


@dataclass(frozen=True, slots=True)
class LeaseView:
    """A lease as its holder sees it: until when it lasts now, and beyond what no activity prolongs it."""

    case: str
    task: str
    token: UUID
    started_at: datetime
    expires_at: datetime
    limit_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class HolderView:
    name: str
    until: datetime
    is_me: bool


@dataclass(frozen=True, slots=True)
class QueueEntry:
    case: str
    task: str
    title: str
    artist_name: str
    seconds: int
    opened_at: datetime
    due_at: datetime
    overdue: bool
    holder: HolderView | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case for the reviewer who holds it or has decided it; `policy` is the one a decision would be made by."""

    public_id: str
    state: CaseState
    programme_id: int
    submission: str
    wish: Wish
    clip: ClipView
    opened_at: datetime
    due_at: datetime
    lease: LeaseView | None
    decisions: tuple[DecisionView, ...]
    policy: PolicyView | None


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """Without the reviewer's own work. `waiting` nobody holds; `overdue` counts held ones, too."""

    waiting: int
    held: int
    overdue: int


def queue(reviewer_id: int, *, now: datetime, limit: int, after: str | None = None) -> list[QueueEntry]:
    """Open tasks, oldest due first, without the reviewer's own work, following `after` (a task's public id).

    Two statements, one more with `after`.
    """
    rows = _reviewable(reviewer_id).select_related(
        "case__submission__video", "case__artist", "lease_reviewer"
    )
    return [
        _entry(row, reviewer_id, now)
        for row in after_row(rows, after, key="due_at", descending=False)[:limit]
    ]


def held_by(reviewer_id: int, *, now: datetime) -> LeaseView | None:
    """The lease that the reviewer holds now. One statement."""
    row = live(now).filter(lease_reviewer_id=reviewer_id).select_related("case").first()
    return lease_view(row) if row else None


def case_for_reviewer(case: str, *, reviewer_id: int, now: datetime) -> CaseView:
    """At most eight statements. Raises NotFound for all but who holds it now or has decided it."""
    row = ReviewCase.objects.select_related("submission").filter(public_id=case).first()
    task = (
        live(now).filter(case=row, lease_reviewer_id=reviewer_id).select_related("case").first()
        if row
        else None
    )
    if row is None or (task is None and not _has_decided(row.pk, reviewer_id)):
        raise NotFound("not_found", "There is no such case.")
    wish = row.submission
    return CaseView(
        public_id=row.public_id,
        state=CaseState(row.state),
        programme_id=row.programme_id,
        submission=wish.public_id,
        wish=Wish(wish.title, wish.note, wish.show_prompt, wish.show_seed, wish.show_variant),
        clip=generation.clips([wish.video_id])[wish.video_id],
        opened_at=row.opened_at,
        due_at=row.due_at,
        lease=lease_view(task) if task else None,
        decisions=tuple(decisions.of_cases([row.pk]).get(row.pk, [])),
        policy=current_policy(row.programme_id),
    )


def desk_counts(reviewer_id: int, *, now: datetime) -> DeskCounts:
    """Two statements."""
    held = Q(state=TaskState.LEASED, lease_expires_at__gt=now)
    counted = _reviewable(reviewer_id).aggregate(
        waiting=Count("id", filter=~held),
        held=Count("id", filter=held),
        overdue=Count("id", filter=Q(due_at__lt=now)),
    )
    return DeskCounts(**counted)


def case_video(case: str) -> int | None:
    """The row id of the video that a case is about. One statement."""
    return ReviewCase.objects.filter(public_id=case).values_list("submission__video_id", flat=True).first()


def reviewer_sees(master_id: int, *, reviewer_id: int, now: datetime) -> bool:
    """Whether the reviewer holds a case of this master now or has decided one; never one's own. One statement."""
    holds = live(now).filter(case=OuterRef("pk"), lease_reviewer_id=reviewer_id)
    decided = Decision.objects.filter(case=OuterRef("pk"), reviewer_id=reviewer_id)
    cases = ReviewCase.objects.filter(master_id=master_id).exclude(artist_id=reviewer_id)
    return cases.filter(Exists(holds) | Exists(decided)).exists()


def _reviewable(reviewer_id: int) -> QuerySet[ReviewTask]:
    """Open tasks that somebody may take: where they are a reviewer, and not their own work."""
    rows = ReviewTask.objects.filter(state__in=TASK_OPEN).exclude(case__artist_id=reviewer_id)
    scopes = scopes_of(reviewer_id, Permission.DECIDE_CASES)
    return rows if scopes is None else rows.filter(case__programme__public_id__in=scopes)


def live(now: datetime) -> QuerySet[ReviewTask]:
    return ReviewTask.objects.filter(state=TaskState.LEASED, lease_expires_at__gt=now)


def lease_view(row: ReviewTask) -> LeaseView:
    """Of a leased task that was loaded with its case."""
    if row.lease_token is None or row.lease_started_at is None or row.lease_expires_at is None:
        raise ValueError(f"{row} is not leased")
    return LeaseView(
        case=row.case.public_id,
        task=row.public_id,
        token=row.lease_token,
        started_at=row.lease_started_at,
        expires_at=row.lease_expires_at,
        limit_at=row.lease_started_at + LEASE_LIMIT,
        due_at=row.due_at,
    )


def _has_decided(case_id: int, reviewer_id: int) -> bool:
    return Decision.objects.filter(case_id=case_id, reviewer_id=reviewer_id).exists()


def _entry(row: ReviewTask, reviewer_id: int, now: datetime) -> QueueEntry:
    holder = None
    if row.lease_reviewer is not None and row.lease_expires_at is not None and row.lease_expires_at > now:
        is_me = row.lease_reviewer.pk == reviewer_id
        holder = HolderView(name=row.lease_reviewer.public_name, until=row.lease_expires_at, is_me=is_me)
    return QueueEntry(
        case=row.case.public_id,
        task=row.public_id,
        title=row.case.submission.title,
        artist_name=row.case.artist.public_name,
        seconds=row.case.submission.video.seconds,
        opened_at=row.opened_at,
        due_at=row.due_at,
        overdue=row.due_at < now,
        holder=holder,
    )

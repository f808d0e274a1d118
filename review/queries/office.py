"""What the office counts, and looks up before it takes a share back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from review.models import ReleaseGrant, ReviewTask
from review.queries.grants import GrantRow, active_now, grant_row
from review.states import TASK_OPEN, TaskState


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """Open tasks of a programme: `held` by a reviewer now, `overdue` of them all, and when the first is due."""

    open: int
    held: int
    overdue: int
    first_due: datetime | None


def case_counts(programme_id: int, *, now: datetime) -> CaseCounts:
    """One statement."""
    rows = ReviewTask.objects.filter(state__in=TASK_OPEN, case__programme_id=programme_id)
    held = Q(state=TaskState.LEASED, lease_expires_at__gt=now)
    found = rows.aggregate(
        open=Count("id"),
        held=Count("id", filter=held),
        overdue=Count("id", filter=Q(due_at__lt=now)),
        first_due=Min("due_at"),
    )
    return CaseCounts(**found)


def on_view_count(programme_id: int, *, now: datetime) -> int:
    """One statement."""
    rows = ReleaseGrant.objects.filter(active_now(now), submission__membership__programme_id=programme_id)
    return rows.count()


def grant_of_programme(programme_id: int, public_id: str) -> GrantRow | None:
    """One statement."""
    rows = ReleaseGrant.objects.select_related("submission__membership__user", "video")
    row = rows.filter(public_id=public_id, submission__membership__programme_id=programme_id).first()
    return grant_row(row) if row else None

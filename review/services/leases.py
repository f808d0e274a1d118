"""Who works on what at the desk. A claim is one statement; a lease that has run out needs no sweep to be free."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from audit import log
from core.actors import Actor, system
from core.errors import WrongState
from core.states import sources
from generation.services import copies
from generation.states import EVERYBODY, Purpose
from review.models import ReviewCase, ReviewTask
from review.queries.desk import LeaseView, held_by, lease_view, live
from review.rules import LEASE, lease_end
from review.services.reviewers import check_reviews
from review.states import CASE, CaseState, TaskState
from roles.queries import HELD_SQL
from roles.roles import ROLE_PERMISSIONS, Permission, permits

LOST = "Your lease on this case has ended. Take the case again; what you wrote is kept here."

_FREE = {
    "state": TaskState.QUEUED,
    "lease_reviewer": None,
    "lease_token": None,
    "lease_started_at": None,
    "lease_expires_at": None,
}
# SKIP LOCKED: two reviewers who ask at once get different tasks. Never one's own work, nor another programme's.
_CLAIM = f"""
WITH next AS (
    SELECT t.id FROM review_reviewtask t JOIN review_reviewcase c ON c.id = t.case_id
    JOIN programme_programme p ON p.id = c.programme_id JOIN accounts_user u ON u.id = %(reviewer)s
    WHERE t.state IN ('queued', 'leased') AND (t.state = 'queued' OR t.lease_expires_at <= %(now)s)
      AND c.artist_id <> u.id AND %(roles)s && {HELD_SQL}::text[]
      AND (%(everywhere)s OR c.programme_id = ANY(%(programmes)s::bigint[]))
    ORDER BY t.due_at, t.id LIMIT 1
    FOR UPDATE OF t SKIP LOCKED
)
UPDATE review_reviewtask t
SET state = 'leased', lease_reviewer_id = %(reviewer)s, lease_token = %(token)s, lease_started_at = %(now)s,
    lease_expires_at = %(until)s
FROM next WHERE t.id = next.id
RETURNING t.id
"""  # noqa: S608 - made of constants


def claim_next(*, by: Actor, now: datetime, programmes: Sequence[int] | None = None) -> LeaseView | None:
    """Take the open case that is due first, for 15 minutes. None when there is none that the reviewer may take.

    A reviewer holds one case at a time: who holds one gets it again. `programmes` are row ids; None is all.
    Raises NotAllowed for somebody who is no reviewer.
    """
    check_reviews(by)
    with log.transaction() as events:
        _free_lapsed(ReviewTask.objects.filter(lease_reviewer_id=by.person_id), by=by, now=now, events=events)
        if held := held_by(by.person_id, now=now):
            return held
        task = _take(by.person_id, now, programmes)
        if task is None:
            # None, or what the same reviewer took in the same moment in another window.
            return held_by(by.person_id, now=now)
        row = ReviewTask.objects.select_related("case").get(pk=task)
        copies.order(
            master=row.case.master_id, purpose=Purpose.SCREENING, recipient=str(by), now=now
        )  # theirs alone
        copies.prepare(master=row.case.master_id, now=now)  # for whoever comes after them
        copies.order(master=row.case.master_id, purpose=Purpose.PUBLIC, recipient=EVERYBODY, now=now)
        ReviewCase.objects.filter(pk=row.case_id, state__in=sources(CASE, CaseState.IN_REVIEW)).update(
            state=CaseState.IN_REVIEW
        )
        events.record(
            action="review.claimed",
            actor=by,
            target=row.case.public_id,
            now=now,
            data={"task": row.public_id},
        )
    return lease_view(row)


def prolong(*, task: str, lease_token: UUID | str, by: Actor, now: datetime) -> LeaseView:
    """Activity on the case: 15 minutes from now, at most 45 from the claim. Nothing is audited: nothing changes hands.

    Raises WrongState("lease_lost") when the lease is not the reviewer's any more.
    """
    with transaction.atomic():
        row = _held(task, lease_token, by, now)
        if row.lease_started_at is not None:
            row.lease_expires_at = lease_end(started=row.lease_started_at, now=now)
            row.save(update_fields=["lease_expires_at"])
    return lease_view(row)


def hand_back(*, task: str, lease_token: UUID | str, by: Actor, now: datetime) -> None:
    """Put the case back in its old place. Raises WrongState("lease_lost") when it is not the reviewer's any more."""
    with log.transaction() as events:
        row = _held(task, lease_token, by, now)
        _free(row)
        events.record(
            action="review.handed_back",
            actor=by,
            target=row.case.public_id,
            now=now,
            data={"task": row.public_id},
        )


def sweep(*, now: datetime) -> int:
    """Return lapsed leases to the queue and say how many. Tidying only: a claim takes a lapsed one over anyway."""
    with log.transaction() as events:
        return _free_lapsed(ReviewTask.objects.all(), by=system("review"), now=now, events=events)


def _take(reviewer: int, now: datetime, programmes: Sequence[int] | None) -> int | None:
    values: dict[str, Any] = {
        "now": now,
        "until": now + LEASE,
        "reviewer": reviewer,
        "token": uuid4(),
        "roles": [role.value for role in ROLE_PERMISSIONS if permits([role], Permission.DECIDE_CASES)],
        "everywhere": programmes is None,
        "programmes": list(programmes or []),
    }
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CLAIM, values)
            found = cursor.fetchone()
    except IntegrityError:  # one lease a reviewer: the constraint has the last word
        return None
    return int(found[0]) if found else None


def _held(task: str, lease_token: UUID | str, by: Actor, now: datetime) -> ReviewTask:
    """The task, locked, if the actor holds it now under that token."""
    token = as_token(lease_token)
    rows = live(now).select_for_update(of=("self",)).select_related("case")
    row = (
        rows.filter(public_id=task, lease_token=token, lease_reviewer_id=by.user_id).first()
        if token
        else None
    )
    if row is None or by.user_id is None:
        raise WrongState("lease_lost", LOST)
    return row


def as_token(value: UUID | str) -> UUID | None:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except ValueError:
        return None


def _free_lapsed(rows: QuerySet[ReviewTask], *, by: Actor, now: datetime, events: log.Log) -> int:
    lapsed = rows.filter(state=TaskState.LEASED, lease_expires_at__lte=now).order_by("id")
    found = list(lapsed.select_for_update(of=("self",), skip_locked=True).select_related("case")[:100])
    for row in found:
        _free(row)
        events.record(
            action="review.lease_lapsed",
            actor=by,
            target=row.case.public_id,
            now=now,
            data={"task": row.public_id},
        )
    return len(found)


def _free(row: ReviewTask) -> None:
    ReviewTask.objects.filter(pk=row.pk).update(**_FREE)
    ReviewCase.objects.filter(pk=row.case_id, state=CaseState.IN_REVIEW).update(state=CaseState.QUEUED)

"""Whoever holds the head of the log asks for nothing more: after its lock come only the log's own writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.caller import Caller
from core.actors import system
from review.rules import LEASE
from review.services import decisions, leases, policies, shares, submissions
from review.states import RevokerRole, SubmissionState
from tests.factories.generation import completed_video
from tests.factories.review import POLICY, REASONS, asked, asked_at, claimed, on_view

pytestmark = pytest.mark.django_db


def _publish(artist: Caller, reviewer: Caller, now: datetime) -> Callable[[], object]:
    assert artist.membership is not None
    programme = artist.membership.programme.id
    return lambda: policies.publish(
        programme_id=programme, text=POLICY, reasons=REASONS, by=system("test"), now=now
    )


def _submit(artist: Caller, reviewer: Caller, now: datetime) -> Callable[[], object]:
    video = completed_video(artist, now)
    return lambda: submissions.submit(video=video, title="x", by=artist.actor, now=now)


def _resubmit(artist: Caller, reviewer: Caller, now: datetime) -> Callable[[], object]:
    made = asked_at(SubmissionState.CHANGES_ASKED, artist, reviewer, now)
    return lambda: submissions.resubmit(submission=made.submission, title="x", by=artist.actor, now=now)


def _withdraw(artist: Caller, reviewer: Caller, now: datetime) -> Callable[[], object]:
    made = asked(artist, now)
    return lambda: submissions.withdraw(submission=made.submission, by=artist.actor, now=now)


def _claim(artist: Caller, reviewer: Caller, now: datetime) -> Callable[[], object]:
    asked(artist, now)
    return lambda: leases.claim_next(by=reviewer.actor, now=now)


def _hand_back(artist: Caller, reviewer: Caller, now: datetime) -> Callable[[], object]:
    asked(artist, now)
    lease = claimed(reviewer, now)
    return lambda: leases.hand_back(task=lease.task, lease_token=lease.token, by=reviewer.actor, now=now)


def _sweep(artist: Caller, reviewer: Caller, now: datetime) -> Callable[[], object]:
    asked(artist, now)
    claimed(reviewer, now)
    return lambda: leases.sweep(now=now + LEASE)


def _decide(outcome: str) -> Callable[[Caller, Caller, datetime], Callable[[], object]]:
    def prepare(artist: Caller, reviewer: Caller, now: datetime) -> Callable[[], object]:
        made = asked(artist, now)
        lease = claimed(reviewer, now)
        return lambda: decisions.decide(
            case=made.case,
            lease_token=lease.token,
            outcome=outcome,
            reasons=[] if outcome == "approve" else ["P1"],
            facts="A face.",
            by=reviewer.actor,
            now=now,
        )

    return prepare


def _revoke(artist: Caller, reviewer: Caller, now: datetime) -> Callable[[], object]:
    _, share = on_view(artist, reviewer, now)
    return lambda: shares.revoke(grant=share, reason="", by=artist.actor, as_role=RevokerRole.ARTIST, now=now)


def _delete(artist: Caller, reviewer: Caller, now: datetime) -> Callable[[], object]:
    made, _ = on_view(artist, reviewer, now)
    return lambda: shares.delete_clip(video=made.video, by=artist.actor, now=now)


SERVICES = {
    "publish": _publish,
    "submit": _submit,
    "resubmit": _resubmit,
    "withdraw": _withdraw,
    "claim": _claim,
    "hand_back": _hand_back,
    "sweep": _sweep,
    "approve": _decide("approve"),
    "refuse": _decide("refuse"),
    "changes": _decide("changes"),
    "revoke": _revoke,
    "delete": _delete,
}


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_locked_after_the_head_of_the_log(
    artist: Caller, reviewer: Caller, now: datetime, service: str
) -> None:
    act = SERVICES[service](artist, reviewer, now)

    with CaptureQueriesContext(connection) as captured:
        act()

    statements = [query["sql"] for query in captured if not query["sql"].startswith("RELEASE SAVEPOINT")]
    heads = [i for i, sql in enumerate(statements) if "audit_audithead" in sql and "FOR UPDATE" in sql]
    assert len(heads) == 1
    assert [sql.split("(")[0] for sql in statements[heads[0] + 1 :]] == ["WITH appended AS "]
    assert statements[heads[0] - 1] == "SET CONSTRAINTS ALL IMMEDIATE"

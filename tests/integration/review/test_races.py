"""Two at once, on connections of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

import pytest
from django.db import connection

from access.caller import Caller
from audit import queries as audit
from core.errors import DomainError, WrongState
from review.models import Decision, ReleaseGrant, ReviewTask, Submission
from review.services import decisions, leases, shares, submissions
from review.states import SubmissionState
from tests.factories.generation import completed_video
from tests.factories.review import FACTS, asked, claimed, state_of

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")


def _together(*actions: Callable[[], T]) -> list[T | DomainError]:
    """Start all at the same moment; what each returned or was refused with, in their order."""
    gate = threading.Barrier(len(actions))

    def run(action: Callable[[], T]) -> T | DomainError:
        try:
            gate.wait(timeout=10)
            return action()
        except DomainError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


@pytest.mark.parametrize("cases", [1, 2])
def test_two_reviewers_never_get_the_same_case(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, now: datetime, cases: int
) -> None:
    made = {asked(artist, now).case for _ in range(cases)}

    found = _together(
        lambda: leases.claim_next(by=reviewer.actor, now=now),
        lambda: leases.claim_next(by=second_reviewer.actor, now=now),
    )

    taken = [lease.case for lease in found if lease is not None and not isinstance(lease, DomainError)]
    assert len(taken) == cases
    assert set(taken) == made


def test_one_reviewer_in_two_windows_gets_one_case(artist: Caller, reviewer: Caller, now: datetime) -> None:
    asked(artist, now)
    asked(artist, now)

    found = _together(*[lambda: leases.claim_next(by=reviewer.actor, now=now)] * 4)

    assert ReviewTask.objects.filter(state="leased").count() == 1
    held = claimed(reviewer, now)
    assert all(lease in (held, None) for lease in found)
    assert held in found


def test_a_double_click_makes_one_decision(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now)

    def decide() -> str:
        return decisions.decide(
            case=made.case, lease_token=lease.token, outcome="approve", by=reviewer.actor, now=now
        ).public_id

    found = _together(decide, decide, decide)

    assert found == [Decision.objects.get().public_id] * 3
    assert ReleaseGrant.objects.count() == 1


def test_two_outcomes_at_once_leave_one(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now)

    def decide(outcome: str, *reasons: str) -> Callable[[], str]:
        return lambda: (
            decisions.decide(
                case=made.case,
                lease_token=lease.token,
                outcome=outcome,
                reasons=reasons,
                facts=FACTS,
                by=reviewer.actor,
                now=now,
            ).public_id
        )

    found = _together(decide("approve"), decide("refuse", "P1"))

    assert Decision.objects.count() == 1
    assert sum(isinstance(answer, WrongState) for answer in found) == 1


def test_a_second_wish_at_the_same_moment_is_refused(artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now)

    def submit() -> str:
        return submissions.submit(video=video, title="Twice", by=artist.actor, now=now)

    found = _together(submit, submit, submit)

    assert Submission.objects.count() == 1
    assert sum(isinstance(answer, WrongState) for answer in found) == 2


@pytest.mark.parametrize("turn", range(3))
def test_a_withdrawal_and_a_decision_do_not_both_happen(
    artist: Caller, reviewer: Caller, now: datetime, turn: int
) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now)

    def decide() -> object:
        return decisions.decide(
            case=made.case, lease_token=lease.token, outcome="approve", by=reviewer.actor, now=now
        )

    def withdraw() -> None:
        submissions.withdraw(submission=made.submission, by=artist.actor, now=now)

    found = _together(decide, withdraw)

    assert sum(isinstance(answer, WrongState) for answer in found) == 1
    shown = state_of(made) == SubmissionState.APPROVED
    assert shown == ReleaseGrant.objects.exists() == Decision.objects.exists()


@pytest.mark.parametrize("turn", range(3))
def test_a_clip_deleted_while_it_is_approved_is_not_on_view(
    artist: Caller, reviewer: Caller, now: datetime, turn: int
) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now)

    def decide() -> object:
        return decisions.decide(
            case=made.case, lease_token=lease.token, outcome="approve", by=reviewer.actor, now=now
        )

    found = _together(decide, lambda: shares.delete_clip(video=made.video, by=artist.actor, now=now))

    assert found[1] is None
    assert not ReleaseGrant.objects.filter(state="active").exists()
    assert not ReviewTask.objects.filter(state__in=["queued", "leased"]).exists()


def test_a_clip_submitted_while_it_is_deleted_is_not_in_review(artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now)

    found = _together(
        lambda: submissions.submit(video=video, title="Late", by=artist.actor, now=now),
        lambda: shares.delete_clip(video=video, by=artist.actor, now=now),
    )

    assert found[1] is None
    assert not Submission.objects.filter(state="open").exists()
    assert audit.verify().broken_at is None

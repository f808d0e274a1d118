"""Every state with every verb: what the table allows happens, all else is refused and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db.models import TextChoices

from access.caller import Caller
from core.errors import DomainError, WrongState
from core.states import check
from review.models import ReleaseGrant, ReviewCase, ReviewTask
from review.queries import LeaseView
from review.services import decisions, leases, shares, submissions
from review.states import (
    CASE,
    GRANT,
    MACHINES,
    SUBMISSION,
    TASK,
    CaseState,
    GrantState,
    RevokerRole,
    SubmissionState,
    TaskState,
)
from tests.factories.review import (
    FACTS,
    Asked,
    asked,
    asked_at,
    claimed,
    decided,
    everything,
    share_at,
    stale,
    state_of,
)

pytestmark = pytest.mark.django_db


def _decide(outcome: str) -> Callable[[Asked, Caller, Caller, datetime], object]:
    def act(made: Asked, artist: Caller, reviewer: Caller, now: datetime) -> object:
        held = ReviewTask.objects.filter(case__public_id=made.case, state="leased").first()
        reasons = [] if outcome == "approve" else ["P1"]
        return decisions.decide(
            case=made.case,
            lease_token=held.lease_token if held and held.lease_token else stale(),
            outcome=outcome,
            reasons=reasons,
            facts=FACTS,
            by=reviewer.actor,
            now=now,
        )

    return act


def _resubmit(made: Asked, artist: Caller, reviewer: Caller, now: datetime) -> None:
    submissions.resubmit(submission=made.submission, title="Changed", by=artist.actor, now=now)


def _withdraw(made: Asked, artist: Caller, reviewer: Caller, now: datetime) -> None:
    submissions.withdraw(submission=made.submission, by=artist.actor, now=now)


SUBMISSION_VERBS = {
    SubmissionState.OPEN: _resubmit,
    SubmissionState.WITHDRAWN: _withdraw,
    SubmissionState.APPROVED: _decide("approve"),
    SubmissionState.CHANGES_ASKED: _decide("changes"),
    SubmissionState.REFUSED: _decide("refuse"),
}


@pytest.mark.parametrize("target", SubmissionState)
@pytest.mark.parametrize("state", SubmissionState)
def test_submission_moves_as_its_table_says(
    artist: Caller, reviewer: Caller, now: datetime, state: SubmissionState, target: SubmissionState
) -> None:
    made = asked_at(state, artist, reviewer, now)
    if state == SubmissionState.OPEN:
        claimed(reviewer, now)
    before = everything()

    try:
        SUBMISSION_VERBS[target](made, artist, reviewer, now)
        moved = True
    except WrongState:
        moved = False

    assert moved == (target in SUBMISSION[state])
    assert state_of(made) == (target if moved else state)
    if not moved:
        assert everything() == before


def _case_at(state: CaseState, artist: Caller, reviewer: Caller, now: datetime) -> Asked:
    if state == CaseState.AWAITING_ARTIST:
        return asked_at(SubmissionState.CHANGES_ASKED, artist, reviewer, now)
    if state in {CaseState.APPROVED, CaseState.REFUSED, CaseState.WITHDRAWN}:
        return asked_at(SubmissionState(state.value), artist, reviewer, now)
    made = asked(artist, now)
    if state == CaseState.IN_REVIEW:
        claimed(reviewer, now)
    return made


def _back(made: Asked, artist: Caller, reviewer: Caller, now: datetime) -> None:
    """To the queue: the reviewer hands the case back, or the artist answers."""
    held = ReviewTask.objects.filter(case__public_id=made.case, state="leased").first()
    if held is None or held.lease_token is None:
        _resubmit(made, artist, reviewer, now)
    else:
        leases.hand_back(task=held.public_id, lease_token=held.lease_token, by=reviewer.actor, now=now)


def _claim(made: Asked, artist: Caller, reviewer: Caller, now: datetime) -> None:
    held = ReviewTask.objects.filter(case__public_id=made.case, state="leased").exists()
    if held or leases.claim_next(by=reviewer.actor, now=now) is None:
        raise WrongState("nothing", "There is nothing to claim.")


CASE_VERBS = {
    CaseState.QUEUED: _back,
    CaseState.IN_REVIEW: _claim,
    CaseState.AWAITING_ARTIST: _decide("changes"),
    CaseState.APPROVED: _decide("approve"),
    CaseState.REFUSED: _decide("refuse"),
    CaseState.WITHDRAWN: _withdraw,
}


@pytest.mark.parametrize("target", CASE)
@pytest.mark.parametrize("state", CASE)
def test_case_moves_as_its_table_says(
    artist: Caller, reviewer: Caller, now: datetime, state: CaseState, target: CaseState
) -> None:
    made = _case_at(state, artist, reviewer, now)

    try:
        CASE_VERBS[target](made, artist, reviewer, now)
        moved = True
    except WrongState:
        moved = False

    assert moved == (target in CASE[state])
    assert ReviewCase.objects.get(public_id=made.case).state == (target if moved else state)


def _task_at(
    state: TaskState, artist: Caller, reviewer: Caller, now: datetime
) -> tuple[Asked, LeaseView | None]:
    made = asked(artist, now)
    if state == TaskState.LEASED:
        return made, claimed(reviewer, now)
    if state == TaskState.DECIDED:
        return made, decided(made, "refuse", reviewer, now)
    if state == TaskState.CANCELLED:
        lease = claimed(reviewer, now)
        _withdraw(made, artist, reviewer, now)
        return made, lease
    return made, None


@pytest.mark.parametrize("target", TaskState)
@pytest.mark.parametrize("state", TaskState)
def test_task_moves_as_its_table_says(
    artist: Caller, reviewer: Caller, now: datetime, state: TaskState, target: TaskState
) -> None:
    made, lease = _task_at(state, artist, reviewer, now)
    task = ReviewTask.objects.get(case__public_id=made.case)
    token = lease.token if lease else stale()

    try:
        if target == TaskState.QUEUED:
            leases.hand_back(task=task.public_id, lease_token=token, by=reviewer.actor, now=now)
        elif target == TaskState.LEASED:
            _claim(made, artist, reviewer, now)
        elif target == TaskState.DECIDED:
            _decide("approve")(made, artist, reviewer, now)
        else:
            _withdraw(made, artist, reviewer, now)
        moved = True
    except WrongState:
        moved = False

    assert moved == (target in TASK[state])
    task.refresh_from_db()
    assert task.state == (target if moved else state)


@pytest.mark.parametrize("state", GRANT)
def test_grant_moves_as_its_table_says(
    artist: Caller, reviewer: Caller, now: datetime, state: GrantState
) -> None:
    _, share = share_at(state, artist, reviewer, now)

    try:
        shares.revoke(grant=share, reason="", by=artist.actor, as_role=RevokerRole.ARTIST, now=now)
        moved = True
    except WrongState:
        moved = False

    assert moved == (GrantState.REVOKED in GRANT[state])
    assert ReleaseGrant.objects.get(public_id=share).state == "revoked"


@pytest.mark.parametrize("noun", MACHINES)
def test_no_state_that_no_move_leads_to_can_be_left(noun: str) -> None:
    table, _ = MACHINES[noun]
    names: type[TextChoices] = type(next(iter(table)))

    for state in set(names) - set(table):
        for target in names:
            with pytest.raises(DomainError):
                check(table, state, target)

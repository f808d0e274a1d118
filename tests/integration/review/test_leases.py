from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from access.caller import Caller
from audit.models import AuditEvent
from core.errors import DomainError, NotAllowed, WrongState
from review.models import ReviewCase, ReviewTask
from review.queries import LeaseView
from review.rules import LEASE, LEASE_LIMIT
from review.services import decisions, leases, submissions
from review.tasks import sweep
from tests.factories.review import asked, claimed, everything, stale

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def _states(case: str) -> tuple[str, str]:
    row = ReviewCase.objects.get(public_id=case)
    return row.state, row.tasks.latest("id").state


def test_claims_what_is_due_first_and_only_once(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, now: datetime
) -> None:
    late, early = asked(artist, now + MINUTE), asked(artist, now)

    first, second = claimed(reviewer, now + MINUTE), claimed(second_reviewer, now + MINUTE)

    assert [first.case, second.case] == [early.case, late.case]
    assert (first.expires_at, first.limit_at) == (now + MINUTE + LEASE, now + MINUTE + LEASE_LIMIT)
    assert _states(early.case) == ("in_review", "leased")
    assert AuditEvent.objects.latest("seq").action == "review.claimed"


def test_has_nothing_for_a_second_reviewer_when_the_only_case_is_held(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, now: datetime
) -> None:
    asked(artist, now)
    claimed(reviewer, now)
    before = everything()

    assert leases.claim_next(by=second_reviewer.actor, now=now) is None
    assert everything() == before


def test_gives_a_reviewer_the_case_that_they_hold(artist: Caller, reviewer: Caller, now: datetime) -> None:
    asked(artist, now)
    asked(artist, now)
    held = claimed(reviewer, now)
    before = everything()

    assert claimed(reviewer, now + MINUTE) == held
    assert everything() == before


def test_never_hands_out_ones_own_work(artist_who_reviews: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist_who_reviews, now)

    assert leases.claim_next(by=artist_who_reviews.actor, now=now) is None
    assert claimed(reviewer, now).case == made.case


def test_refuses_whoever_is_no_reviewer(
    artist: Caller, second_artist: Caller, operator: Caller, now: datetime
) -> None:
    asked(artist, now)
    before = everything()

    for caller in (second_artist, operator):
        with pytest.raises(NotAllowed):
            leases.claim_next(by=caller.actor, now=now)
    assert everything() == before


def test_hands_out_cases_only_where_the_role_counts(
    artist: Caller, reviewer_elsewhere: Caller, now: datetime
) -> None:
    asked(artist, now)

    assert leases.claim_next(by=reviewer_elsewhere.actor, now=now) is None


def test_claims_only_in_the_programmes_asked_for(artist: Caller, reviewer: Caller, now: datetime) -> None:
    asked(artist, now)
    assert artist.membership is not None
    here = artist.membership.programme.id

    assert leases.claim_next(by=reviewer.actor, now=now, programmes=[here + 1]) is None
    assert leases.claim_next(by=reviewer.actor, now=now, programmes=[]) is None
    assert leases.claim_next(by=reviewer.actor, now=now, programmes=[here]) is not None


def test_a_lapsed_lease_is_taken_over_without_a_sweep(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    lost = claimed(reviewer, now)

    assert leases.claim_next(by=second_reviewer.actor, now=now + LEASE - timedelta(seconds=1)) is None
    taken = claimed(second_reviewer, now + LEASE)

    assert (taken.case, taken.token != lost.token) == (made.case, True)
    assert ReviewTask.objects.get().lease_reviewer_id == second_reviewer.user_id
    _lost(lost, reviewer, now + LEASE)


def test_activity_prolongs_a_lease_up_to_forty_five_minutes(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    asked(artist, now)
    lease = claimed(reviewer, now)

    ends = [
        leases.prolong(
            task=lease.task, lease_token=lease.token, by=reviewer.actor, now=now + m * MINUTE
        ).expires_at
        for m in (10, 24, 38, 44)
    ]

    assert ends == [now + m * MINUTE for m in (25, 39, 45, 45)]
    _lost(lease, reviewer, now + LEASE_LIMIT)


def test_without_activity_a_lease_ends_after_fifteen_minutes(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    asked(artist, now)

    _lost(claimed(reviewer, now), reviewer, now + LEASE)


def test_a_case_handed_back_keeps_its_place(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, now: datetime
) -> None:
    first = asked(artist, now)
    asked(artist, now + MINUTE)
    lease = claimed(reviewer, now + MINUTE)

    leases.hand_back(task=lease.task, lease_token=str(lease.token), by=reviewer.actor, now=now + MINUTE)

    assert _states(first.case) == ("queued", "queued")
    assert claimed(second_reviewer, now + MINUTE).case == first.case


@pytest.mark.parametrize("token", ["", "not-a-token", stale()], ids=["none", "no token", "stale"])
def test_refuses_another_token(artist: Caller, reviewer: Caller, now: datetime, token: str) -> None:
    asked(artist, now)
    lease = claimed(reviewer, now)

    _lost(lease, reviewer, now, token=token)


def test_refuses_another_reviewer_with_the_right_token(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, now: datetime
) -> None:
    asked(artist, now)

    _lost(claimed(reviewer, now), second_reviewer, now)


def test_a_sweep_returns_lapsed_leases_to_the_queue(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, now: datetime
) -> None:
    lapsed, held = asked(artist, now), asked(artist, now + MINUTE)
    claimed(reviewer, now)
    claimed(second_reviewer, now + MINUTE)

    assert leases.sweep(now=now + LEASE) == 1

    assert _states(lapsed.case) == ("queued", "queued")
    assert _states(held.case) == ("in_review", "leased")
    last = AuditEvent.objects.latest("seq")
    assert (last.action, last.actor) == ("review.lease_lapsed", "system:review")
    assert leases.sweep(now=now + LEASE) == 0


def test_the_task_sweeps_by_the_real_clock(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    claimed(reviewer, now)

    assert sweep() == 1
    assert _states(made.case) == ("queued", "queued")


def test_a_withdrawn_case_is_not_handed_out(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    submissions.withdraw(submission=made.submission, by=artist.actor, now=now)

    assert leases.claim_next(by=reviewer.actor, now=now) is None


def _lost(lease: LeaseView, reviewer: Caller, now: datetime, token: str | None = None) -> None:
    """Nothing can be done under this lease, and trying changes nothing."""
    before = everything()
    used = token if token is not None else lease.token
    codes = []
    for verb in (leases.prolong, leases.hand_back):
        with pytest.raises(WrongState) as refused:
            verb(task=lease.task, lease_token=used, by=reviewer.actor, now=now)
        codes.append(refused.value.code)
    with pytest.raises(DomainError) as late:
        decisions.decide(case=lease.case, lease_token=used, outcome="approve", by=reviewer.actor, now=now)
    assert [*codes, late.value.code] == ["lease_lost"] * 3
    assert everything() == before

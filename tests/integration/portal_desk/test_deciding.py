"""Deciding at the desk: the three answers, what is refused, and what is never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.caller import Caller
from audit.models import AuditEvent
from review.models import Decision, ReviewTask
from review.queries import LeaseView
from review.states import SubmissionState
from tests.factories import review
from tests.factories.review import FACTS, Asked

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def made(artist: Caller, now: datetime) -> Asked:
    return review.asked(artist, now, title="Two lamps")


@pytest.fixture
def lease(made: Asked, reviewer: Caller, now: datetime) -> LeaseView:
    return review.claimed(reviewer, now)


def answer(lease: LeaseView, **typed: Any) -> dict[str, Any]:
    return {"lease": str(lease.token), "outcome": "approve", "facts": ""} | typed


def test_an_approval_puts_the_clip_on_view_and_needs_no_reason(
    made: Asked, lease: LeaseView, reviewer: Caller, sign_in: SignIn
) -> None:
    response = sign_in(reviewer).post(f"/desk/cases/{made.case}/decide", answer(lease))

    assert response.url == "/desk"  # type: ignore[attr-defined]
    assert review.state_of(made) == SubmissionState.APPROVED
    assert review.share_of(made).startswith("s_")


def test_reasons_ticked_before_the_answer_became_yes_are_not_meant(
    made: Asked, lease: LeaseView, reviewer: Caller, sign_in: SignIn
) -> None:
    sign_in(reviewer).post(f"/desk/cases/{made.case}/decide", answer(lease, reasons=["P1"]))

    assert Decision.objects.get().reasons.count() == 0


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("changes", SubmissionState.CHANGES_ASKED), ("refuse", SubmissionState.REFUSED)],
)
def test_a_no_carries_codes_and_facts_word_for_word(
    outcome: str, state: SubmissionState, made: Asked, lease: LeaseView, reviewer: Caller, sign_in: SignIn
) -> None:
    typed = answer(lease, outcome=outcome, reasons=["P1", "P2"], facts=FACTS)

    sign_in(reviewer).post(f"/desk/cases/{made.case}/decide", typed)

    decision = Decision.objects.get()
    assert review.state_of(made) == state
    assert decision.facts == FACTS
    assert {given.reason.code for given in decision.reasons.all()} == {"P1", "P2"}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"outcome": ""}, "Choose one of the three."),
        ({"outcome": "maybe"}, "Choose one of the three."),
        ({"outcome": "refuse", "facts": "A face at 0:02."}, "Name at least one reason of the policy."),
        ({"outcome": "refuse", "reasons": ["P1"]}, "the artist reads it word for word"),
        ({"outcome": "changes", "reasons": ["N1"], "facts": "It mocks us."}, "reasons that never count"),
        ({"outcome": "changes", "reasons": ["Q9"], "facts": "Hm."}, "is not in the policy"),
    ],
)
def test_a_refused_form_keeps_what_was_typed_and_changes_nothing(
    typed: dict[str, Any],
    sentence: str,
    made: Asked,
    lease: LeaseView,
    reviewer: Caller,
    sign_in: SignIn,
) -> None:
    events = AuditEvent.objects.count()
    sent = answer(lease, **typed)

    response = sign_in(reviewer).post(f"/desk/cases/{made.case}/decide", sent)
    page = response.content.decode()

    assert response.status_code == 422
    assert sentence in page
    assert sent["facts"] in page
    for code in typed.get("reasons", []):
        assert (f'value="{code}" checked' in page) == (code == "P1")
    assert not Decision.objects.exists()
    assert ReviewTask.objects.get().state == "leased"
    assert AuditEvent.objects.count() == events


def test_a_lost_lease_answers_409_and_keeps_what_was_typed(
    made: Asked,
    lease: LeaseView,
    reviewer: Caller,
    other_reviewer: Caller,
    now: datetime,
    sign_in: SignIn,
    stopped_clock: time_machine.Traveller,
) -> None:
    client = sign_in(reviewer)
    stopped_clock.shift(timedelta(minutes=16))
    review.claimed(other_reviewer, now + timedelta(minutes=16))
    typed = answer(lease, outcome="refuse", reasons=["P2"], facts="The <face> at 0:02.1.")

    response = client.post(f"/desk/cases/{made.case}/decide", typed)
    page = response.content.decode()

    assert response.status_code == 409
    assert "The &lt;face&gt; at 0:02.1." in page
    assert "Do not show" in page
    assert "P2" in page
    assert not Decision.objects.exists()
    assert ReviewTask.objects.get().lease_reviewer_id == other_reviewer.user_id


def test_a_form_that_is_bad_and_too_late_answers_409_too(
    made: Asked,
    lease: LeaseView,
    reviewer: Caller,
    sign_in: SignIn,
    stopped_clock: time_machine.Traveller,
) -> None:
    client = sign_in(reviewer)
    stopped_clock.shift(timedelta(minutes=16))

    response = client.post(f"/desk/cases/{made.case}/decide", answer(lease, outcome="refuse", facts="Seen."))

    assert response.status_code == 409
    assert "Seen." in response.content.decode()


def test_an_artist_who_withdraws_meanwhile_ends_the_case(
    made: Asked, lease: LeaseView, artist: Caller, reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    from review.services import submissions

    submissions.withdraw(submission=made.submission, by=artist.actor, now=now)

    response = sign_in(reviewer).post(f"/desk/cases/{made.case}/decide", answer(lease))

    assert response.status_code == 409
    assert not Decision.objects.exists()


def test_who_does_not_hold_the_case_cannot_decide_it(
    made: Asked, lease: LeaseView, other_reviewer: Caller, artist: Caller, sign_in: SignIn
) -> None:
    path = f"/desk/cases/{made.case}/decide"

    assert sign_in(other_reviewer).post(path, answer(lease)).status_code == 409
    assert sign_in(artist).post(path, answer(lease)).status_code == 403
    assert not Decision.objects.exists()


def test_the_same_form_sent_twice_is_one_decision(
    made: Asked, lease: LeaseView, reviewer: Caller, sign_in: SignIn
) -> None:
    client = sign_in(reviewer)

    for _ in range(2):
        response = client.post(f"/desk/cases/{made.case}/decide", answer(lease))
        assert response.status_code == 302

    assert Decision.objects.count() == 1


def test_own_decisions_are_listed_and_can_be_read_again(
    made: Asked, reviewer: Caller, other_reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    review.decided(made, "refuse", reviewer, now)

    listed = sign_in(reviewer).get("/desk/decided").content.decode()
    case = sign_in(reviewer).get(f"/desk/cases/{made.case}").content.decode()

    assert "Two lamps" in listed
    assert "Not shown" in listed
    assert "What was decided" in case
    assert "data-keep" not in case
    assert "Two lamps" not in sign_in(other_reviewer).get("/desk/decided").content.decode()


def test_the_number_of_queries_of_decided_does_not_grow(
    artist: Caller, reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    client = sign_in(reviewer)
    counts = []
    for _ in range(2):
        for _ in range(2):
            review.decided(review.asked(artist, now), "refuse", reviewer, now)
        with CaptureQueriesContext(connection) as queries:
            client.get("/desk/decided")
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 7

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from access.caller import Caller
from audit.models import AuditEvent, OutboxEvent
from core.errors import DomainError, Invalid, NotAllowed, NotFound, WrongState
from generation import queries as generation
from review.models import Decision, GrantedRendition, ReleaseGrant, ReviewCase, ReviewTask, Submission
from review.services import decisions
from review.states import SubmissionState
from tests.factories.review import (
    FACTS,
    TITLE,
    Asked,
    asked,
    asked_at,
    claimed,
    decided,
    everything,
    put_policy,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def _mail() -> dict[str, Any]:
    payload: dict[str, Any] = OutboxEvent.objects.filter(topic="mail").latest("id").payload
    return payload


def test_an_approval_puts_the_video_and_the_poster_of_the_master_on_view(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now + HOUR / 6)

    view = decisions.decide(
        case=made.case, lease_token=str(lease.token), outcome="approve", by=reviewer.actor, now=now + HOUR / 5
    )

    clip = generation.clip(made.video)
    assert clip is not None
    assert clip.master is not None
    decision, grant = Decision.objects.get(), ReleaseGrant.objects.get()
    assert (view.public_id, view.outcome, view.reasons, view.policy_number) == (
        decision.public_id,
        "approve",
        (),
        1,
    )
    assert (decision.reviewer_id, decision.master_sha256) == (reviewer.user_id, clip.master.frames_sha256)
    assert (grant.state, grant.active_from, grant.master_id, grant.decision) == (
        "active", now + HOUR / 5, clip.master.id, decision
    )  # fmt: skip
    listed = GrantedRendition.objects.values_list("rendition_id", "sha256")
    public = {made.kind: made for made in clip.master.renditions if made.kind in ("mp4", "poster")}
    assert set(listed) == {(made.id, made.sha256) for made in public.values()}
    assert len(public) == 2
    assert Submission.objects.get().state == "approved"
    assert ReviewTask.objects.get().state == "decided"
    assert (ReviewCase.objects.get().state, ReviewCase.objects.get().closed_at) == (
        "approved",
        now + HOUR / 5,
    )


def test_an_approval_writes_letter_event_and_log(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    decided(made, "approve", reviewer, now)

    share = ReleaseGrant.objects.get().public_id
    mail = _mail()
    assert (mail["to"], mail["subject"]) == (artist.email, f"“{TITLE}” is on view")
    assert f"{settings.BASE_URL}/s/{share}" in mail["body"]
    event = OutboxEvent.objects.get(topic="share.approved")
    assert event.payload == {"video": made.video, "submission": made.submission, "grant": share}
    last = AuditEvent.objects.latest("seq")
    assert (last.action, last.target, last.actor) == ("review.decided", made.case, str(reviewer.actor))
    assert last.data["outcome"] == "approve"
    assert last.data["grant"] == share


@pytest.mark.parametrize(
    ("outcome", "subject", "next_step"),
    [
        ("changes", "A change is asked before “Harbour, 06:10” can be shown", "within 48 hours"),
        ("refuse", "“Harbour, 06:10” is not shown", "The clip stays yours"),
    ],
)
def test_a_letter_quotes_reasons_and_facts_word_for_word(
    artist: Caller, reviewer: Caller, now: datetime, outcome: str, subject: str, next_step: str
) -> None:
    decided(asked(artist, now), outcome, reviewer, now)

    mail = _mail()
    assert mail["subject"] == subject
    assert "P2  A real person's likeness without consent" in mail["body"]
    assert FACTS in mail["body"]
    assert next_step in mail["body"]
    assert not re.search(r"\n{4}|&#|rejected|violat|success", mail["body"])
    assert not ReleaseGrant.objects.exists()


def test_changes_leave_the_case_with_the_artist(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked_at(SubmissionState.CHANGES_ASKED, artist, reviewer, now)

    case = ReviewCase.objects.get(public_id=made.case)
    assert (case.state, case.closed_at, Submission.objects.get().closed_at) == ("awaiting_artist", None, None)
    assert not case.tasks.filter(state__in=["queued", "leased"]).exists()


def test_a_double_submit_is_one_decision(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now)
    first = _decide(made, lease.token, reviewer, now, reasons=["P2", "P1"], facts=f" {FACTS}\r\n")
    before = everything()

    again = _decide(made, lease.token, reviewer, now + HOUR, reasons=["P1", "P2"], facts=FACTS)

    assert again == first
    assert everything() == before


def test_a_second_submit_that_says_something_else_is_refused(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now)
    _decide(made, lease.token, reviewer, now)
    before = everything()

    for other in ({"facts": "Something else."}, {"reasons": ["P1"]}, {"outcome": "changes"}):
        with pytest.raises(WrongState) as refused:
            _decide(made, lease.token, reviewer, now, **other)
        assert refused.value.code == "already_decided"
    assert everything() == before


@pytest.mark.parametrize(
    ("verdict", "code", "fields"),
    [
        ({"outcome": "banish"}, "invalid_request", {"outcome"}),
        ({"reasons": []}, "invalid_request", {"reasons"}),
        ({"facts": " \n "}, "invalid_request", {"facts"}),
        ({"reasons": ["P2", "X9"]}, "invalid_request", {"reasons"}),
        ({"reasons": ["N1"]}, "reason_never_counts", {"reasons"}),
        ({"reasons": ["P2", "N2"]}, "reason_never_counts", {"reasons"}),
        ({"outcome": "approve"}, "invalid_request", {"reasons"}),
    ],
)
def test_refuses_a_verdict_that_the_policy_does_not_bear(
    artist: Caller, reviewer: Caller, now: datetime, verdict: dict[str, Any], code: str, fields: set[str]
) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now)
    before = everything()

    with pytest.raises(Invalid) as refused:
        _decide(made, lease.token, reviewer, now, **verdict)

    assert (refused.value.code, set(refused.value.fields)) == (code, fields)
    assert everything() == before


def test_decides_by_the_policy_in_force(artist: Caller, reviewer: Caller, now: datetime) -> None:
    first = asked(artist, now)
    decided(first, "refuse", reviewer, now)
    assert artist.membership is not None
    put_policy(artist.membership.programme.id, now)
    decided(asked(artist, now), "refuse", reviewer, now)

    assert list(Decision.objects.order_by("id").values_list("policy__number", flat=True)) == [1, 2]


def test_refuses_whoever_is_no_reviewer_there(
    artist: Caller,
    second_artist: Caller,
    operator: Caller,
    reviewer: Caller,
    reviewer_elsewhere: Caller,
    now: datetime,
) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now)
    before = everything()

    for caller in (second_artist, operator, reviewer_elsewhere):
        with pytest.raises(NotAllowed):
            _decide(made, lease.token, caller, now)
    assert everything() == before


def test_own_work_and_unknown_cases_are_not_found(
    artist_who_reviews: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist_who_reviews, now)
    lease = claimed(reviewer, now)
    before = everything()

    refusals: list[tuple[str, Caller]] = [(made.case, artist_who_reviews), ("case_nothing", reviewer)]
    for case, caller in refusals:
        with pytest.raises(NotFound):
            decisions.decide(case=case, lease_token=lease.token, outcome="approve", by=caller.actor, now=now)
    assert everything() == before


def _decide(made: Asked, token: object, reviewer: Caller, now: datetime, **verdict: Any) -> Any:
    arguments = {"outcome": "refuse", "reasons": ["P2"], "facts": FACTS} | verdict
    return decisions.decide(case=made.case, lease_token=str(token), by=reviewer.actor, now=now, **arguments)


def test_a_failure_after_the_decision_leaves_nothing(
    artist: Caller, reviewer: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now)
    before = everything()

    def no_post(**_: Any) -> None:
        raise WrongState("broken", "The letter could not be written.")

    monkeypatch.setattr("audit.mail.post", no_post)
    with pytest.raises(DomainError):
        decisions.decide(
            case=made.case, lease_token=lease.token, outcome="approve", by=reviewer.actor, now=now
        )
    assert everything() == before

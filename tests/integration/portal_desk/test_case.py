"""A case on the desk: who sees it, what stands in it, how long it is theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.caller import Caller
from review.models import ReviewTask
from tests.factories import review
from tests.factories.review import Asked

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def held(artist: Caller, reviewer: Caller, now: datetime) -> Asked:
    made = review.asked(
        artist, now, title="Salt, first light", note="For the <stairs>.", show_prompt=True, show_variant=True
    )
    review.claimed(reviewer, now)
    return made


def test_the_page_shows_the_clip_and_what_was_asked_for(
    held: Asked, reviewer: Caller, sign_in: SignIn
) -> None:
    page = sign_in(reviewer).get(f"/desk/cases/{held.case}").content.decode()

    assert f'src="/desk/cases/{held.case}/video.mp4"' in page
    assert f'poster="/desk/cases/{held.case}/poster.jpg"' in page
    assert "Salt, first light" in page
    assert "For the &lt;stairs&gt;." in page
    assert "a red boat drifting left over the sea" in page
    assert "Oda Venn" in page
    assert "s name, prompt, Turbo" in page
    assert "seed, note" in page
    assert "yours until 13:15" in page
    assert 'data-left="900"' in page


def test_the_page_names_the_reasons_of_the_policy_and_those_that_never_count(
    held: Asked, reviewer: Caller, sign_in: SignIn
) -> None:
    page = sign_in(reviewer).get(f"/desk/cases/{held.case}").content.decode()

    assert 'value="P1"' in page
    assert 'value="S1"' in page
    assert "Never a reason: criticises us, off-brand." in page
    assert 'value="N1"' not in page


def test_a_case_is_shown_to_nobody_but_who_holds_it(
    held: Asked, artist: Caller, other_reviewer: Caller, operator: Caller, sign_in: SignIn
) -> None:
    paths = [f"/desk/cases/{held.case}{rest}" for rest in ("", "/video.mp4", "/poster.jpg")]

    for path in paths:
        assert sign_in(other_reviewer).get(path).status_code == 404
        assert sign_in(artist).get(path).status_code == 403
        assert sign_in(operator).get(path).status_code == 403
        assert Client().get(path).status_code in {302, 404}


def test_the_files_of_a_held_case_are_served_whole_and_in_parts(
    held: Asked, reviewer: Caller, sign_in: SignIn
) -> None:
    client = sign_in(reviewer)

    whole = client.get(f"/desk/cases/{held.case}/video.mp4")
    part = client.get(f"/desk/cases/{held.case}/video.mp4", headers={"Range": "bytes=0-9"})

    assert whole["Content-Type"] == "video/mp4"
    assert whole["Cache-Control"] == "private, no-store"
    assert whole.getvalue().startswith(b"mp4 of")
    assert part.status_code == 206
    assert part.getvalue() == b"mp4 of vid"
    assert client.get(f"/desk/cases/{held.case}/master.bin").status_code == 404


def test_nobody_sees_the_clip_once_the_lease_has_run_out(
    held: Asked, reviewer: Caller, sign_in: SignIn, stopped_clock: time_machine.Traveller
) -> None:
    client = sign_in(reviewer)
    stopped_clock.shift(timedelta(minutes=15, seconds=1))

    assert client.get(f"/desk/cases/{held.case}").status_code == 404
    assert client.get(f"/desk/cases/{held.case}/video.mp4").status_code == 404


def test_activity_prolongs_the_lease_up_to_45_minutes(
    held: Asked, reviewer: Caller, sign_in: SignIn, stopped_clock: time_machine.Traveller
) -> None:
    client = sign_in(reviewer)
    kept = []
    for _ in range(4):
        stopped_clock.shift(timedelta(minutes=10))
        kept.append(json.loads(client.post(f"/desk/cases/{held.case}/keep").content))

    assert [answer["left"] for answer in kept] == [900, 900, 900, 300]
    assert kept[0]["until"] == "yours until 13:25"
    assert kept[0]["last"] is False
    assert kept[3]["last"] is True
    stopped_clock.shift(timedelta(minutes=6))
    assert client.post(f"/desk/cases/{held.case}/keep").status_code == 409


def test_keeping_a_case_that_somebody_else_holds_changes_nothing(
    held: Asked, other_reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    assert sign_in(other_reviewer).post(f"/desk/cases/{held.case}/keep").status_code == 409
    assert ReviewTask.objects.get().lease_expires_at == now + timedelta(minutes=15)


def test_handing_back_frees_the_case_for_others(
    held: Asked, reviewer: Caller, other_reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    answer = sign_in(reviewer).post(f"/desk/cases/{held.case}/hand-back")

    assert answer.url == "/desk"  # type: ignore[attr-defined]
    assert review.claimed(other_reviewer, now).case == held.case


def test_handing_back_what_one_does_not_hold_changes_nothing(
    held: Asked, reviewer: Caller, other_reviewer: Caller, sign_in: SignIn
) -> None:
    sign_in(other_reviewer).post(f"/desk/cases/{held.case}/hand-back")

    assert ReviewTask.objects.get().lease_reviewer_id == reviewer.user_id


def test_changing_something_asks_for_a_post_with_its_token(held: Asked, reviewer: Caller) -> None:
    from django.contrib.auth import get_user_model

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.get(pk=reviewer.user_id))

    for action in ("keep", "hand-back", "decide"):
        assert strict.post(f"/desk/cases/{held.case}/{action}").status_code == 403
    assert strict.get("/desk/next").status_code == 405


def test_an_earlier_decision_stands_beside_the_case(
    held: Asked, artist: Caller, reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    from review.services import decisions, submissions

    lease = review.claimed(reviewer, now)
    decisions.decide(
        case=held.case,
        lease_token=lease.token,
        outcome="changes",
        reasons=["S1"],
        facts="The mark is hidden at 0:03.",
        by=reviewer.actor,
        now=now,
    )
    submissions.resubmit(submission=held.submission, title="Salt", by=artist.actor, now=now)
    review.claimed(reviewer, now)

    page = sign_in(reviewer).get(f"/desk/cases/{held.case}").content.decode()

    assert "Sent again after changes." in page
    assert "Changes asked, for S1 The mark cannot be read." in page
    assert "The mark is hidden at 0:03." in page


def test_the_number_of_queries_of_a_case_is_fixed(
    held: Asked, artist: Caller, reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    client = sign_in(reviewer)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/desk/cases/{held.case}").status_code == 200
        counts.append(len(queries))
        for number in range(3):
            review.asked(artist, now + timedelta(minutes=number))

    assert counts[0] == counts[1]
    assert counts[0] <= 16

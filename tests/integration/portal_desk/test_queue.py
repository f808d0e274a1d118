"""The queue, and taking the next case from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access import gate
from access.caller import Caller
from core.actors import system
from review.models import ReviewTask
from roles.roles import Role
from roles.services import grants
from tests.factories import review

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/desk", "/desk/decided", "/desk/tokens"])
def test_only_reviewers_enter_the_desk(
    path: str, artist: Caller, operator: Caller, reviewer: Caller, sign_in: SignIn
) -> None:
    assert sign_in(reviewer).get(path).status_code == 200
    assert sign_in(artist).get(path).status_code == 403
    assert sign_in(operator).get(path).status_code == 403
    assert Client().get(path).status_code == 302


def test_taking_a_case_is_refused_to_others_and_changes_nothing(
    artist: Caller, now: datetime, sign_in: SignIn
) -> None:
    review.asked(artist, now)

    assert sign_in(artist).post("/desk/next").status_code == 403
    assert ReviewTask.objects.get().state == "queued"


def test_an_empty_queue_says_what_will_stand_there(reviewer: Caller, sign_in: SignIn) -> None:
    page = sign_in(reviewer).get("/desk").content.decode()

    assert "No case waits for you" in page
    assert "Take the next case" not in page


def test_the_queue_shows_words_only_and_the_oldest_first(
    artist: Caller, other_artist: Caller, reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    review.asked(other_artist, now - timedelta(hours=1), title="Second")
    review.asked(artist, now - timedelta(hours=5), title="First")

    page = sign_in(reviewer).get("/desk").content.decode()

    assert page.index("First") < page.index("Second")
    assert "<img" not in page
    assert "<video" not in page
    assert "in 43 h" in page


def test_own_work_is_absent_from_queue_and_counts(artist: Caller, now: datetime, sign_in: SignIn) -> None:
    review.asked(artist, now, title="My own")
    grants.grant(user_id=artist.user_id, role=Role.REVIEWER, by=system("test"), now=now)
    me = gate.caller_for_user(artist.user_id)

    client = sign_in(me)

    assert "My own" not in client.get("/desk").content.decode()
    assert client.post("/desk/next").url == "/desk"  # type: ignore[attr-defined]


def test_late_cases_are_named_as_late(
    artist: Caller,
    reviewer: Caller,
    now: datetime,
    sign_in: SignIn,
    stopped_clock: time_machine.Traveller,
) -> None:
    review.asked(artist, now)
    stopped_clock.shift(timedelta(hours=50))

    page = sign_in(reviewer).get("/desk").content.decode()

    assert "1 late" in page
    assert "2 h late" in page


def test_taking_the_next_case_leads_to_it_and_back_to_it_while_it_is_held(
    artist: Caller, other_artist: Caller, reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    made = review.asked(artist, now - timedelta(hours=1))
    review.asked(other_artist, now)
    client = sign_in(reviewer)

    first = client.post("/desk/next")
    again = client.post("/desk/next")

    assert first.url == again.url == f"/desk/cases/{made.case}"  # type: ignore[attr-defined]
    page = client.get("/desk").content.decode()
    assert f'href="/desk/cases/{made.case}"' in page
    assert "Take the next case" not in page


def test_the_queue_says_who_holds_a_case(
    artist: Caller, reviewer: Caller, other_reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    review.asked(artist, now)
    review.claimed(other_reviewer, now)

    page = sign_in(reviewer).get("/desk").content.decode()

    assert other_reviewer.public_name in page
    assert "Take the next case" not in page  # nothing is left to take


def test_a_second_page_follows_the_first_by_cursor(
    artist: Caller, reviewer: Caller, now: datetime, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.paging.SIZE", 1)
    review.asked(artist, now - timedelta(hours=2), title="First")
    review.asked(artist, now - timedelta(hours=1), title="Second")
    client = sign_in(reviewer)

    page = client.get("/desk").content.decode()
    cursor = page.partition('href="?after=')[2].partition('"')[0]
    later = client.get(f"/desk?after={cursor}").content.decode()

    assert "Second" not in page
    assert "Second" in later
    assert "First" not in later
    assert client.get("/desk?after=nonsense").status_code == 422


def test_the_number_of_queries_does_not_grow_with_the_queue(
    artist: Caller, reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    client = sign_in(reviewer)
    counts = []
    for _ in range(2):
        for number in range(3):
            review.asked(artist, now + timedelta(minutes=number), title=f"Clip {number}")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/desk").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 9

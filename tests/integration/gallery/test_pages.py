"""What visitors see, and how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.caller import Caller
from programme.queries import ProgrammeView
from review.services import shares
from review.states import RevokerRole
from tests.factories import people, review
from tests.factories.generation import PROMPT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


@pytest.fixture(autouse=True)
def policy(programme: ProgrammeView, now: datetime) -> None:
    review.put_policy(programme.id, now)


def test_a_bare_wall_says_what_will_hang_there(client: Client) -> None:
    page = client.get("/")

    assert page.status_code == 200
    assert "still bare" in page.content.decode()


def test_what_is_on_view_hangs_with_its_title_and_artist(
    client: Client, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    _, share = review.on_view(artist, reviewer, now, title="Harbour, six")

    page = client.get("/").content.decode()

    assert "Harbour, six" in page
    assert artist.public_name in page
    assert f"/s/{share}/poster.jpg" in page


@pytest.mark.parametrize("shown", [True, False])
def test_a_share_shows_the_facts_that_were_made_public_and_no_others(
    client: Client, artist: Caller, reviewer: Caller, now: datetime, shown: bool
) -> None:
    _, share = review.on_view(
        artist, reviewer, now, show_prompt=shown, show_seed=shown, show_variant=shown, note="for the reviewer"
    )

    page = client.get(f"/s/{share}").content.decode()

    assert (PROMPT in page) == shown
    assert ("Seed" in page) == shown
    assert ("Turbo" in page) == shown
    assert "for the reviewer" not in page
    assert 'property="og:video" content="http://localhost' in page


def test_a_page_on_view_may_be_kept_but_is_asked_again(
    client: Client, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    _, share = review.on_view(artist, reviewer, now)
    for path in (f"/s/{share}", f"/s/{share}/video.mp4", "/"):
        first = client.get(path)
        first.getvalue()
        again = client.get(path, headers={"If-None-Match": first["ETag"]})

        assert first["Cache-Control"] == "no-cache"
        assert again.status_code == 304


@pytest.mark.parametrize("role", RevokerRole)
def test_what_was_taken_back_answers_410_at_every_address_at_once(
    client: Client, artist: Caller, reviewer: Caller, operator: Caller, now: datetime, role: RevokerRole
) -> None:
    _, share = review.on_view(artist, reviewer, now, title="Harbour, six")
    kept = client.get(f"/s/{share}")["ETag"]
    by = artist.actor if role == RevokerRole.ARTIST else operator.actor

    shares.revoke(grant=share, reason="It names a person.", by=by, as_role=role, now=now)

    for path in ("", "/video.mp4", "/poster.jpg"):
        answer = client.get(f"/s/{share}{path}", headers={"If-None-Match": kept})
        assert (answer.status_code, answer["Cache-Control"]) == (410, "no-store")
    page = client.get(f"/s/{share}").content.decode()
    assert ("The artist took" in page) == (role == RevokerRole.ARTIST)
    assert "It names a person." not in page
    assert "Harbour, six" not in client.get("/").content.decode()


@pytest.mark.parametrize("path", ["/s/s_nothing", "/s/s_nothing/video.mp4", "/nothing"])
def test_what_never_was_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_no_other_file_name_is_served(
    client: Client, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    _, share = review.on_view(artist, reviewer, now)

    for name in ("master.mp4", "video.MP4", "..%2Fvideo.mp4", "sheet.jpg"):
        assert client.get(f"/s/{share}/{name}").status_code == 404


def test_the_policy_names_also_what_may_never_be_a_reason(client: Client) -> None:
    page = client.get("/policy").content.decode()

    assert "Criticises us" in page
    assert "P2" in page


def test_the_terms_can_be_read_before_anybody_is_in(client: Client, programme: ProgrammeView) -> None:
    page = client.get("/terms").content.decode()

    assert "What you make is yours." in page
    assert client.get(f"/terms?programme={programme.slug}").content.decode().count(programme.name)
    assert "No terms yet" in client.get("/terms?programme=nowhere").content.decode()


def test_the_notice_tells_the_time_of_the_house(
    client: Client, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    _, share = review.on_view(artist, reviewer, now)
    shares.revoke(grant=share, reason="", by=artist.actor, as_role=RevokerRole.ARTIST, now=now)
    there = now.astimezone(ZoneInfo(people.ZONE))

    assert f"{there.day} {there:%B %Y, %H:%M}" in client.get(f"/s/{share}").content.decode()


def test_pages_carry_a_strict_policy_of_their_own(client: Client) -> None:
    policy = client.get("/")["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


# The statements of a visitor's page must not grow with what hangs there.
PAGES = {"/": 5, "/s/{share}": 5, "/s/{share}/video.mp4": 3, "/policy": 5, "/terms": 2}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_costs_the_same_when_rows_double(
    client: Client, artist: Caller, reviewer: Caller, now: datetime, page: str
) -> None:
    _, share = review.on_view(artist, reviewer, now - timedelta(minutes=5))
    path = page.format(share=share)

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(path)
        assert answer.status_code == 200
        answer.getvalue()
        return len(asked)

    once = cost()
    for minute in range(4):
        review.on_view(artist, reviewer, now - timedelta(minutes=minute))

    assert cost() == once
    assert once <= PAGES[page]


def test_the_next_page_of_the_wall_follows_the_last_clip(
    client: Client,
    artist: Caller,
    reviewer: Caller,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    stopped_clock: time_machine.Traveller,
) -> None:
    from gallery import pages

    monkeypatch.setattr(pages, "PAGE", 2)
    for minute in range(3):
        review.on_view(artist, reviewer, now - timedelta(minutes=minute), title=f"Clip {minute}")

    first = client.get("/").content.decode()
    after = first.split("?after=", 1)[1].split('"', 1)[0]
    second = client.get(f"/?after={after}").content.decode()

    assert [f"Clip {n}" in first for n in range(3)] == [True, True, False]
    assert [f"Clip {n}" in second for n in range(3)] == [False, False, True]
    assert client.get("/?after=s_nothing").status_code == 422

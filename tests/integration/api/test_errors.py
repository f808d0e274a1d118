from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client

from access.caller import Caller
from access.kinds import TokenKind
from access.models import ApiToken
from access.services import tokens
from accounts.services import people as accounts
from core.actors import system
from tests.factories import people
from tests.factories.api import Api
from tests.factories.generation import PROMPT, queued_video
from tests.factories.people import actor_of

pytestmark = pytest.mark.django_db
Of = Callable[[Caller], Api]


def test_one_body_is_a_problem_document_and_openais_error(api: Of, artist: Caller) -> None:
    answer = api(artist).get("/videos/video_nothing")

    body = answer.refused(404, "not_found")
    assert body["error"]["type"] == "not_found_error"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("code", ["quota_exhausted", "token_revoked", "not_found"])
def test_the_type_of_a_problem_can_be_looked_up_without_a_token(code: str) -> None:
    problem = Api(None).get(f"/problems/{code}").ok()

    assert problem["code"] == code
    assert problem["meaning"]
    Api(None).get("/problems/nonsense").refused(404, "not_found")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("req_0123456789abcdef", True),
        ("7f3c2c1e-6c0d-4b0e-9d8f-2f1c1a3b5c7d", True),
        ("short", False),
        ("x" * 200, False),
        ("with space and more", False),
        ("<script>alert(1)</script>", False),
    ],
)
def test_every_answer_has_a_request_id_and_a_sane_one_is_kept(
    api: Of, artist: Caller, sent: str, kept: bool
) -> None:
    answer = api(artist).get("/videos", x_request_id=sent)

    assert (answer.headers["x-request-id"] == sent) == kept
    assert answer.headers["x-request-id"]


def test_two_requests_have_two_ids(api: Of, artist: Caller) -> None:
    client = api(artist)

    assert len({client.get("/videos").headers["x-request-id"] for _ in range(5)}) == 5


def test_a_fault_of_ours_has_the_same_body_and_tells_nothing(
    api: Of, artist: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("generation.status.statuses", break_down)

    answer = api(artist).get("/videos")

    assert answer.refused(500, "server_error")["error"]["type"] == "server_error"
    assert b"secret" not in answer.body
    assert "x-should-retry" not in answer.headers


def test_says_that_a_part_is_away_and_that_asking_again_may_help(
    api: Of, artist: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("generation.status.statuses", away)

    answer = api(artist).get("/videos")

    answer.refused(503, "unavailable")
    assert "x-should-retry" not in answer.headers


def test_a_foreign_host_name_is_refused_in_the_same_body(api: Of, artist: Caller) -> None:
    api(artist).send("GET", "/videos", headers={"host": "evil.example"}).refused(400, "bad_request")


def test_a_browser_session_opens_nothing_here(artist: Caller) -> None:
    from django.contrib.auth import get_user_model

    browser = Client()
    browser.force_login(get_user_model().objects.get(pk=artist.user_id))

    answer = browser.get("/v1/videos")

    assert answer.status_code == 401
    assert "pv_session" not in answer.cookies
    assert "cookie" not in answer.headers.get("Vary", "").lower()


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "token_missing"),
        ("Basic dXNlcjpwYXNz", "token_missing"),
        ("Bearer", "token_missing"),
        ("Bearer ", "token_missing"),
        ("Bearer sk-123", "invalid_token"),
        ("Bearer pv_art_0000000000_" + "a" * 38, "invalid_token"),
        ("Bearer \xff\xfe", "invalid_token"),
        ("Bearer pv_art_" + "x" * 10_000, "invalid_token"),
    ],
)
def test_refuses_who_bears_no_token_or_a_wrong_one(header: str, code: str) -> None:
    client = Api(None)
    for method, path in (
        ("GET", "/videos"),
        ("POST", "/videos"),
        ("GET", "/videos/video_x/content"),
        ("GET", "/me"),
    ):
        answer = client.send(method, path, headers={"authorization": header} if header else {})

        answer.refused(401, code)
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="Private View"')
        assert ("invalid_token" in answer.headers["WWW-Authenticate"]) == (code != "token_missing")


def test_refuses_a_revoked_token_on_the_very_next_request(
    artist: Caller, now: datetime, stopped_clock: time_machine.Traveller
) -> None:
    issued = people.token(artist, now)
    client = Api(issued.secret)
    client.get("/videos").ok()

    tokens.revoke(token=issued.public_id, by=actor_of(artist.user_id), now=now)

    for method, path in (("GET", "/videos"), ("POST", "/videos"), ("GET", "/me"), ("GET", "/models")):
        client.send(method, path).refused(401, "token_revoked")


def test_refuses_a_token_from_the_moment_at_which_it_expires(
    artist: Caller, now: datetime, stopped_clock: time_machine.Traveller
) -> None:
    client = Api(people.token(artist, now, days=1).secret)
    stopped_clock.shift(timedelta(days=1, seconds=-1))
    client.get("/me").ok()

    stopped_clock.shift(1)

    client.get("/me").refused(401, "token_expired")


def test_refuses_the_token_of_a_closed_account(api: Of, artist: Caller, now: datetime) -> None:
    client = api(artist)
    client.get("/me").ok()

    accounts.deactivate(user_id=artist.user_id, by=system("test"), now=now)

    client.get("/me").refused(401, "invalid_token")


def test_notes_the_last_use_at_most_once_a_minute(
    artist: Caller, now: datetime, stopped_clock: time_machine.Traveller
) -> None:
    issued = people.token(artist, now)
    client = Api(issued.secret)
    seen = []
    for seconds in (0, 30, 29, 1):
        stopped_clock.shift(seconds)
        client.get("/me").ok()
        seen.append(ApiToken.objects.get(public_id=issued.public_id).last_used_at)

    assert seen == [now, now, now, now + timedelta(minutes=1)]


@pytest.mark.parametrize(
    ("scopes", "method", "path", "missing"),
    [
        ({"videos:read"}, "POST", "/videos", "videos:write"),
        ({"videos:read"}, "DELETE", "/videos/{video}", "videos:write"),
        ({"videos:read"}, "POST", "/videos/{video}/cancel", "videos:write"),
        ({"videos:read"}, "POST", "/videos/{video}/share", "shares:write"),
        ({"videos:read"}, "DELETE", "/videos/{video}/share", "shares:write"),
        ({"videos:read"}, "POST", "/shares/s_x/revoke", "shares:write"),
        ({"videos:write"}, "GET", "/videos", "videos:read"),
        ({"videos:write"}, "GET", "/videos/{video}", "videos:read"),
        ({"videos:write"}, "GET", "/videos/{video}/content", "videos:read"),
        ({"videos:write"}, "GET", "/shares", "videos:read"),
        ({"videos:read", "videos:write", "shares:write"}, "GET", "/review/cases", "review:decide"),
        ({"videos:read", "videos:write", "shares:write"}, "POST", "/review/claim", "review:decide"),
    ],
)
def test_refuses_what_the_token_has_no_scope_for_and_says_which(
    artist: Caller,
    now: datetime,
    stopped_clock: time_machine.Traveller,
    scopes: set[str],
    method: str,
    path: str,
    missing: str,
) -> None:
    video = queued_video(artist, now)
    client = Api(people.token(artist, now, scopes=frozenset(scopes)).secret)

    refusal = client.send(method, path.format(video=video), b"{}", "application/json").refused(
        403, "insufficient_scope"
    )

    assert refusal["scope"] == missing


@pytest.mark.parametrize(
    ("who", "code"),
    [("suspended_artist", "member_suspended"), ("artist_without_terms", "terms_not_accepted")],
)
def test_who_may_not_render_still_reads_what_is_their_own(
    now: datetime,
    artist: Caller,
    stopped_clock: time_machine.Traveller,
    request: pytest.FixtureRequest,
    who: str,
    code: str,
) -> None:
    from programme.services import memberships, terms

    client = Api(people.token(artist, now).secret)
    video = queued_video(artist, now)
    assert artist.membership is not None
    if who == "suspended_artist":
        memberships.suspend(membership_id=artist.membership.id, by=system("test"), now=now)
    else:
        terms.publish(programme_id=artist.membership.programme.id, text="Anew.", by=system("test"), now=now)

    answer = client.post("/videos", {"prompt": PROMPT})

    answer.refused(403, code)
    assert answer.headers["x-should-retry"] == "false"
    client.get(f"/videos/{video}").ok()
    client.post(f"/videos/{video}/cancel").ok()


def test_a_reviewers_token_renders_nothing(api: Of, reviewer: Caller) -> None:
    assert Api.kind_of(reviewer) == TokenKind.REVIEWER
    api(reviewer).post("/videos", {"prompt": PROMPT}).refused(403, "insufficient_scope")
    api(reviewer).get("/models").refused(403, "not_a_member")

"""How many statements each address costs, and that twice the rows cost no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.caller import Caller
from generation.states import VideoState
from programme.queries import ProgrammeView
from tests.factories.api import Api
from tests.factories.generation import completed_video, queued_video, video_at
from tests.factories.review import asked, claimed, on_view, put_policy

pytestmark = pytest.mark.django_db
Of = Callable[[Caller], Api]
TOKEN = 1


@pytest.fixture(autouse=True)
def _policy(programme: ProgrammeView, now: datetime) -> None:
    put_policy(programme.id, now)


def statements(client: Api, path: str, method: str = "GET") -> int:
    """Of the second request: the first one may note that the token was used."""
    client.get("/problems/not_found")
    client.get("/me")
    with CaptureQueriesContext(connection) as captured:
        answer = client.send(method, path, b"{}", "application/json")
    assert answer.status == 200, answer.body
    return len(captured)


@pytest.mark.parametrize(
    ("state", "count"),
    [
        (VideoState.QUEUED, TOKEN + 1),
        (VideoState.IN_PROGRESS, TOKEN + 1),
        (VideoState.FAILED, TOKEN + 1),
        (VideoState.CANCELLED, TOKEN + 1),
        (VideoState.COMPLETED, TOKEN + 2),
    ],
)
def test_the_status_of_a_video_is_one_statement_beside_the_tokens(
    api: Of, artist: Caller, now: datetime, state: VideoState, count: int
) -> None:
    video = video_at(state, artist, now)

    assert statements(api(artist), f"/videos/{video}") == count


def test_the_status_of_a_shared_clip_adds_what_became_of_it(
    api: Of, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made, _ = on_view(artist, reviewer, now)

    assert statements(api(artist), f"/videos/{made.video}") == TOKEN + 1 + 4


def _fill(artist: Caller, reviewer: Caller, now: datetime, round_: int) -> None:
    """One more of everything that a list could hold. Earlier cases are due first."""
    later = now + timedelta(minutes=round_)
    on_view(artist, reviewer, later)
    completed_video(artist, later)
    asked(artist, later + timedelta(hours=1))
    queued_video(artist, later, variant="full-1")


@pytest.mark.parametrize(
    ("who", "path", "count"),
    [
        ("artist", "/videos", TOKEN + 1 + 4),
        ("artist", "/videos?after={video}", TOKEN + 2 + 4),
        ("artist", "/shares", TOKEN + 3),
        ("operator", "/shares", TOKEN + 2),
        ("reviewer", "/review/cases", TOKEN + 2),
        ("artist", "/models", TOKEN + 1),
        ("artist", "/me", TOKEN + 2),
        ("artist", "/policy", TOKEN + 2),
        ("reviewer", "/policy", TOKEN + 3),
    ],
)
def test_a_list_costs_the_same_when_its_rows_double(
    api: Of,
    artist: Caller,
    reviewer: Caller,
    operator: Caller,
    now: datetime,
    who: str,
    path: str,
    count: int,
) -> None:
    newest = queued_video(artist, now + timedelta(days=1), variant="full-1", seconds=2)
    caller = {"artist": artist, "reviewer": reviewer, "operator": operator}[who]
    client = api(caller)
    asks = path.format(video=newest)
    found: list[int] = []
    for round_ in (1, 2):
        _fill(artist, reviewer, now, round_)
        found.append(statements(client, asks))

    assert found == [count, count]


def test_what_a_case_costs(api: Of, artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    claimed(reviewer, now)
    client = api(reviewer)

    assert statements(client, f"/review/cases/{made.case}") <= TOKEN + 8
    assert statements(client, f"/review/cases/{made.case}/content") <= TOKEN + 5


def test_a_file_costs_four_statements_however_often_it_was_shared(
    api: Of, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made, _ = on_view(artist, reviewer, now)

    assert statements(api(artist), f"/videos/{made.video}/content") <= TOKEN + 3


def test_reading_opens_no_session_and_no_transaction(api: Of, artist: Caller, now: datetime) -> None:
    video = queued_video(artist, now)
    client = api(artist)
    client.get("/me")

    with CaptureQueriesContext(connection) as captured:
        client.get(f"/videos/{video}").ok()

    said: list[dict[str, Any]] = captured.captured_queries
    assert not [query for query in said if "session" in query["sql"] or "SAVEPOINT" in query["sql"]]

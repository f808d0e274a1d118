from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from access.caller import Caller
from programme.queries import ProgrammeView
from review.rules import LEASE, LEASE_LIMIT
from tests.factories.api import Api
from tests.factories.review import FACTS, asked, everything, put_policy, stale

pytestmark = pytest.mark.django_db
Of = Callable[[Caller], Api]


@pytest.fixture(autouse=True)
def _policy(programme: ProgrammeView, now: datetime) -> None:
    put_policy(programme.id, now)


def claim(client: Api) -> dict[str, Any]:
    lease: dict[str, Any] = client.post("/review/claim").ok()["lease"]
    return lease


def test_the_whole_way_from_the_list_to_the_decision(
    api: Of, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now, note="One take.", show_seed=True)
    client = api(reviewer)
    (entry,) = client.get("/review/cases").ok()["data"]
    assert (entry["case"], entry["title"], entry["held_by"]) == (made.case, "Harbour, 06:10", None)

    lease = claim(client)

    assert lease["case"] == made.case
    assert lease["expires_at"] == int((now + LEASE).timestamp())
    assert lease["limit_at"] == int((now + LEASE_LIMIT).timestamp())
    case = client.get(f"/review/cases/{made.case}").ok()
    assert (case["note"], case["show_seed"], case["lease"]) == ("One take.", True, lease)
    assert case["clip"]["prompt"]
    assert {reason["code"] for reason in case["policy"]["never"]} == {"N1", "N2"}
    assert client.get(f"/review/cases/{made.case}/content", accept="application/binary").body.startswith(
        b"mp4 of"
    )
    assert client.get("/review/cases").ok()["data"][0]["held_by"]["me"]

    body = {"lease_token": lease["lease_token"], "outcome": "refuse", "reasons": ["P2"], "facts": FACTS}
    decision = client.post(f"/review/cases/{made.case}/decide", body).ok()

    assert (decision["outcome"], decision["facts"], decision["policy_version"]) == ("refuse", FACTS, 1)
    assert client.post(f"/review/cases/{made.case}/decide", body).ok() == decision
    other = body | {"outcome": "approve", "reasons": [], "facts": ""}
    client.post(f"/review/cases/{made.case}/decide", other).refused(409, "already_decided")
    assert client.get("/review/cases").ok()["data"] == []
    assert api(artist).get(f"/videos/{made.video}").ok()["share"]["state"] == "not_shown"


def test_a_form_sends_reasons_with_commas(api: Of, artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    client = api(reviewer)
    form = {
        "lease_token": claim(client)["lease_token"],
        "outcome": "changes",
        "reasons": "P1, S1",
        "facts": FACTS,
    }

    decision = client.post(f"/review/cases/{made.case}/decide", form=form).ok()

    assert [reason["code"] for reason in decision["reasons"]] == ["P1", "S1"]


def test_nothing_to_claim_is_an_answer_and_no_error(api: Of, reviewer: Caller) -> None:
    assert api(reviewer).post("/review/claim").ok() == {"object": "review.claim", "lease": None}


def test_nobody_else_gets_a_case_that_is_held(
    api: Of, artist: Caller, reviewer: Caller, other_reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    first, second = api(reviewer), api(other_reviewer)
    lease = claim(first)

    assert second.post("/review/claim").ok()["lease"] is None
    assert claim(first) == lease
    for suffix in ("", "/content", "/content?variant=thumbnail"):
        second.get(f"/review/cases/{made.case}{suffix}").refused(404, "not_found")
    before = everything()
    token = {"lease_token": lease["lease_token"]}
    for verb, body in (("keep", token), ("release", token), ("decide", token | {"outcome": "approve"})):
        second.post(f"/review/cases/{made.case}/{verb}", body).refused(409, "lease_lost")
    assert everything() == before
    assert second.get("/review/cases").ok()["data"][0]["held_by"]["me"] is False


def test_activity_prolongs_and_release_hands_back(
    api: Of,
    artist: Caller,
    reviewer: Caller,
    other_reviewer: Caller,
    now: datetime,
    stopped_clock: time_machine.Traveller,
) -> None:
    made = asked(artist, now)
    client = api(reviewer)
    token = {"lease_token": claim(client)["lease_token"]}
    stopped_clock.shift(timedelta(minutes=10))

    kept = client.post(f"/review/cases/{made.case}/keep", token).ok()
    assert kept["expires_at"] == int((now + timedelta(minutes=25)).timestamp())
    released = client.post(f"/review/cases/{made.case}/release", token).ok()

    assert released == {"object": "review.released", "case": made.case}
    client.post(f"/review/cases/{made.case}/keep", token).refused(409, "lease_lost")
    assert claim(api(other_reviewer))["case"] == made.case


def test_a_lease_that_ran_out_decides_nothing(
    api: Of, artist: Caller, reviewer: Caller, now: datetime, stopped_clock: time_machine.Traveller
) -> None:
    made = asked(artist, now)
    client = api(reviewer)
    lease = claim(client)
    stopped_clock.shift(LEASE)
    before = everything()

    body = {"lease_token": lease["lease_token"], "outcome": "approve"}
    client.post(f"/review/cases/{made.case}/decide", body).refused(409, "lease_lost")

    assert everything() == before
    client.get(f"/review/cases/{made.case}/content").refused(404, "not_found")


@pytest.mark.parametrize(
    ("change", "code", "fields"),
    [
        ({"outcome": None}, "invalid_request", {"outcome"}),
        ({"outcome": "ban"}, "invalid_request", {"outcome"}),
        ({"lease_token": None}, "invalid_request", {"lease_token"}),
        ({"lease_token": "yes"}, "invalid_request", {"lease_token"}),
        ({"lease_token": 5, "outcome": 5, "reasons": 5, "facts": 5}, "invalid_request", None),
        ({"outcome": "refuse", "facts": "x"}, "invalid_request", {"reasons"}),
        ({"outcome": "refuse", "reasons": ["P2"]}, "invalid_request", {"facts"}),
        ({"outcome": "refuse", "reasons": ["P2"], "facts": " \n"}, "invalid_request", {"facts"}),
        ({"outcome": "refuse", "reasons": ["Z9"], "facts": "x"}, "invalid_request", {"reasons"}),
        ({"outcome": "refuse", "reasons": ["N1"], "facts": "x"}, "reason_never_counts", {"reasons"}),
        ({"outcome": "refuse", "reasons": [["P2"]], "facts": "x"}, "invalid_request", {"reasons"}),
        ({"outcome": "refuse", "reasons": ["P2"], "facts": "a\0b"}, "invalid_request", {"facts"}),
        ({"outcome": "refuse", "reasons": ["P2"], "facts": "x" * 4001}, "invalid_request", {"facts"}),
    ],
)
def test_refuses_a_bad_decision_by_name_and_changes_nothing(
    api: Of,
    artist: Caller,
    reviewer: Caller,
    now: datetime,
    change: dict[str, Any],
    code: str,
    fields: set[str] | None,
) -> None:
    made = asked(artist, now)
    client = api(reviewer)
    body = {"lease_token": claim(client)["lease_token"], "outcome": "approve"} | change
    before = everything()

    refusal = client.post(f"/review/cases/{made.case}/decide", body).refused(400, code)

    assert set(refusal["fields"]) == (fields or set(change))
    assert everything() == before


def test_a_foreign_lease_token_is_lost(api: Of, artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    client = api(reviewer)
    claim(client)

    body = {"lease_token": stale(), "outcome": "approve"}
    client.post(f"/review/cases/{made.case}/decide", body).refused(409, "lease_lost")
    client.post("/review/cases/case_nothing/decide", body).refused(404, "not_found")


def test_the_desk_is_closed_to_artists_and_operators(
    api: Of, artist: Caller, operator: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    for caller in (artist, operator):
        client = api(caller)
        for method, path in (
            ("GET", "cases"),
            ("POST", "claim"),
            ("GET", f"cases/{made.case}"),
            ("GET", f"cases/{made.case}/content"),
            ("POST", f"cases/{made.case}/keep"),
            ("POST", f"cases/{made.case}/release"),
            ("POST", f"cases/{made.case}/decide"),
        ):
            client.send(method, f"/review/{path}", b"{}", "application/json").refused(
                403, "insufficient_scope"
            )


def test_a_reviewer_whose_role_was_taken_is_refused_on_the_next_request(
    api: Of, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    from core.actors import system
    from roles.roles import Role
    from roles.services import grants

    client = api(reviewer)
    client.get("/review/cases").ok()

    grants.revoke(user_id=reviewer.user_id, role=Role.REVIEWER, by=system("test"), now=now)

    client.get("/review/cases").refused(403, "not_a_reviewer")


def test_pages_of_the_queue_follow_one_another(
    api: Of, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = [asked(artist, now + timedelta(minutes=minute)).case for minute in range(3)]
    client = api(reviewer)

    first = client.get("/review/cases?limit=2").ok()
    rest = client.get(f"/review/cases?limit=2&after={first['last_id']}").ok()

    assert [row["case"] for row in first["data"] + rest["data"]] == made
    assert (first["has_more"], rest["has_more"]) == (True, False)

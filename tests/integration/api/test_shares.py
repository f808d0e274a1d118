from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from access.caller import Caller
from generation import queries as generation
from programme.queries import ProgrammeView
from review.queries import RevokedNotice, public_grant
from review.states import GrantState, SubmissionState
from tests.factories.api import Api
from tests.factories.generation import completed_video, queued_video
from tests.factories.review import (
    FACTS,
    asked,
    asked_at,
    claimed,
    decided,
    everything,
    on_view,
    put_policy,
    share_at,
)

pytestmark = pytest.mark.django_db
Of = Callable[[Caller], Api]


@pytest.fixture(autouse=True)
def _policy(programme: ProgrammeView, now: datetime) -> None:
    put_policy(programme.id, now)


def test_asking_to_share_puts_the_clip_before_a_reviewer(api: Of, artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now)
    client = api(artist)

    state = client.post(
        f"/videos/{video}/share", form={"title": "Red boat", "note": "A draft.", "show_prompt": "true"}
    ).ok()

    assert (state["object"], state["video"], state["state"]) == ("share.state", video, "in_review")
    assert (state["title"], state["note"]) == ("Red boat", "A draft.")
    assert (state["show_prompt"], state["show_seed"], state["show_variant"]) == (True, False, False)
    assert state["due_at"] == int((now + timedelta(hours=48)).timestamp())
    assert client.get(f"/videos/{video}/share").ok() == state
    assert client.get(f"/videos/{video}").ok()["share"]["state"] == "in_review"
    client.post(f"/videos/{video}/share", {"title": "Again"}).refused(409, "already_in_review")


def test_reads_the_reasons_and_answers_the_changes_that_were_asked_for(
    api: Of, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked_at(SubmissionState.CHANGES_ASKED, artist, reviewer, now)
    client = api(artist)

    state = client.get(f"/videos/{made.video}/share").ok()
    assert (state["state"], state["facts"]) == ("changes_asked", FACTS)
    assert [reason["code"] for reason in state["reasons"]] == ["P2"]
    assert state["policy_version"] == 1

    again = client.post(f"/videos/{made.video}/share", {"title": "Without the face"}).ok()

    assert (again["state"], again["submission"], again["title"]) == (
        "in_review",
        made.submission,
        "Without the face",
    )


@pytest.mark.parametrize("state", [SubmissionState.OPEN, SubmissionState.CHANGES_ASKED])
def test_delete_withdraws_what_is_undecided(
    api: Of, artist: Caller, reviewer: Caller, now: datetime, state: SubmissionState
) -> None:
    made = asked_at(state, artist, reviewer, now)
    client = api(artist)

    assert client.delete(f"/videos/{made.video}/share").ok()["state"] == "private"
    client.delete(f"/videos/{made.video}/share").refused(409, "not_shared")


def test_delete_takes_back_what_is_on_view(api: Of, artist: Caller, reviewer: Caller, now: datetime) -> None:
    made, share = on_view(artist, reviewer, now)
    client = api(artist)
    before = client.get(f"/videos/{made.video}").ok()["share"]
    assert (before["state"], before["id"]) == ("on_view", share)
    assert before["url"].endswith(f"/s/{share}")

    after = client.delete(f"/videos/{made.video}/share").ok()

    assert (after["state"], after["revoked_by"]) == ("revoked", "artist")
    assert client.get(f"/videos/{made.video}/content").status == 200


@pytest.mark.parametrize("state", ["queued", "finished"])
def test_refuses_to_take_back_what_is_not_shared(api: Of, artist: Caller, now: datetime, state: str) -> None:
    video = queued_video(artist, now) if state == "queued" else completed_video(artist, now)
    client = api(artist)
    before = everything()

    client.delete(f"/videos/{video}/share").refused(409, "not_shared")

    assert everything() == before


def test_refuses_to_share_what_is_not_finished(api: Of, artist: Caller, now: datetime) -> None:
    video = queued_video(artist, now)

    api(artist).post(f"/videos/{video}/share", {"title": "Soon"}).refused(409, "not_completed")


def test_deleting_a_clip_on_view_revokes_it_and_removes_its_files(
    api: Of, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made, share = on_view(artist, reviewer, now)

    api(artist).delete(f"/videos/{made.video}").ok()

    assert isinstance(public_grant(share, now=now), RevokedNotice)
    clip = generation.clip(made.video)
    assert clip is not None
    assert clip.master is not None
    assert all(file.removed for file in clip.master.renditions)


def test_the_artist_revokes_an_own_share_and_nobody_elses(
    api: Of, artist: Caller, other_artist: Caller, reviewer: Caller, now: datetime
) -> None:
    _, share = on_view(artist, reviewer, now)
    stranger, desk = api(other_artist), api(reviewer)
    before = everything()
    stranger.post(f"/shares/{share}/revoke").refused(404, "not_found")
    desk.post(f"/shares/{share}/revoke", {"reason": "No."}).refused(403, "insufficient_scope")
    assert everything() == before

    revoked = api(artist).post(f"/shares/{share}/revoke").ok()

    assert (revoked["id"], revoked["state"], revoked["revoked_by"]) == (share, "revoked", "artist")
    api(artist).post(f"/shares/{share}/revoke").refused(409, "wrong_state")


def test_the_operator_revokes_any_share_and_must_say_why(
    api: Of, artist: Caller, reviewer: Caller, operator: Caller, now: datetime
) -> None:
    made, share = on_view(artist, reviewer, now)
    client = api(operator)
    for reason in ({}, {"reason": "  "}, {"reason": None}):
        assert client.post(f"/shares/{share}/revoke", reason).refused(400, "invalid_request")[
            "fields"
        ].keys() == {"reason"}

    client.post(f"/shares/{share}/revoke", {"reason": "The wrong take."}).ok()

    state = api(artist).get(f"/videos/{made.video}/share").ok()
    assert (state["state"], state["revoked_by"], state["revoked_reason"]) == (
        "revoked",
        "operator",
        "The wrong take.",
    )
    api(operator).post("/shares/s_nothing/revoke", {"reason": "None."}).refused(404, "not_found")


def test_lists_own_wishes_to_share_and_for_an_operator_all_shares(
    api: Of, artist: Caller, other_artist: Caller, reviewer: Caller, operator: Caller, now: datetime
) -> None:
    first, share = share_at(GrantState.REVOKED, artist, reviewer, now)
    _, other = on_view(other_artist, reviewer, now)
    second = asked(artist, now)

    mine = api(artist).get("/shares?limit=1").ok()
    assert [row["id"] for row in mine["data"]] == [second.submission]
    assert mine["has_more"]
    rest = api(artist).get(f"/shares?after={mine['last_id']}").ok()["data"]
    assert [(row["id"], row["decision"]["outcome"]) for row in rest] == [(first.submission, "approve")]

    everyones = api(operator).get("/shares").ok()["data"]
    assert {(row["id"], row["state"]) for row in everyones} == {(share, "revoked"), (other, "active")}
    api(operator).get("/shares?programme=none").refused(404, "not_found")
    api(operator).get("/shares?after=s_nothing").refused(400, "bad_cursor")
    api(reviewer).get("/shares").refused(403, "insufficient_scope")


def test_a_refused_clip_says_why_for_its_artist(
    api: Of, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    decided(made, "refuse", reviewer, now)

    share = api(artist).get(f"/videos/{made.video}").ok()["share"]

    assert (share["state"], share["facts"], share["url"]) == ("not_shown", FACTS, None)
    assert share["reasons"] == [{"code": "P2", "title": "A real person's likeness without consent"}]


def test_withdrawing_ends_the_lease_of_whoever_looks_at_it(
    api: Of, artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    lease = claimed(reviewer, now)
    api(artist).delete(f"/videos/{made.video}/share").ok()

    body = {"lease_token": str(lease.token), "outcome": "approve"}
    api(reviewer).post(f"/review/cases/{made.case}/decide", body).refused(409, "lease_lost")

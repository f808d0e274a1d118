"""The studio's pages: what they show, what they refuse, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.caller import Caller
from access.models import ApiToken
from audit.models import AuditEvent
from generation import queries
from generation.models import Video
from generation.states import VideoState
from programme.queries import ProgrammeView, membership
from programme.services import invitations
from review.models import ReleaseGrant
from review.services import decisions
from tests.factories import people, review
from tests.factories.generation import completed_video, put_variants, queued_video, video_at

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db
ORDER = {"prompt": "a red boat", "variant": "turbo-1", "seconds": "4", "size": "640x360", "seed": ""}


@pytest.fixture
def policy(programme: ProgrammeView, now: datetime) -> None:
    review.put_policy(programme.id, now)


def _cost(client: Client, path: str) -> int:
    client.get(path)  # sessions and content types are read once
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200, path
    return len(asked)


def test_an_order_leads_to_its_clip(artist: Caller, sign_in: SignIn) -> None:
    answer = sign_in(artist).post("/studio", ORDER)

    video = Video.objects.get()
    assert answer["Location"] == f"/studio/clips/{video.public_id}"
    assert (video.prompt, video.seconds, video.width) == ("a red boat", 4, 640)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("prompt", "", "Write what we should see."),
        ("prompt", "x" * 2001, "at most 2,000 characters"),
        ("seconds", "3", "not 3"),
        ("seconds", "four", "not a whole number"),
        ("size", "1x1", "not 1x1"),
        ("seed", "-1", "not a whole number"),
        ("variant", "sora-9", "no model"),
    ],
)
def test_a_refused_order_keeps_what_was_typed_and_says_what_is_wrong(
    artist: Caller, sign_in: SignIn, field: str, value: str, says: str
) -> None:
    before = AuditEvent.objects.count()

    answer = sign_in(artist).post("/studio", {**ORDER, "prompt": "a very particular boat", field: value})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert says in page
    assert field == "prompt" or "a very particular boat" in page
    assert not Video.objects.exists()
    assert AuditEvent.objects.count() == before


def test_a_used_up_quota_is_told_with_the_time_at_which_there_is_more(
    artist: Caller, sign_in: SignIn
) -> None:
    client = sign_in(artist)
    for _ in range(10):
        client.post("/studio", {**ORDER, "seconds": "12"})

    answer = client.post("/studio", {**ORDER, "seconds": "12"})

    assert answer.status_code == 429
    assert "00:00" in answer.content.decode()
    assert Video.objects.count() == 10


@pytest.mark.parametrize("state", VideoState)
def test_each_state_of_a_clip_has_its_page(
    artist: Caller, sign_in: SignIn, now: datetime, state: VideoState
) -> None:
    video = video_at(state, artist, now)
    client = sign_in(artist)

    page = client.get(f"/studio/clips/{video}").content.decode()
    answer = client.get(f"/studio/clips/{video}/state")

    words = {
        VideoState.QUEUED: "First in the queue",
        VideoState.IN_PROGRESS: "Rendering",
        VideoState.COMPLETED: "Download",
        VideoState.FAILED: "Refused by the test.",
        VideoState.CANCELLED: "Nothing was charged",
    }
    assert words[state] in page
    open_still = state in {VideoState.QUEUED, VideoState.IN_PROGRESS}
    assert ("data-events" in page) == open_still
    assert ('<noscript><meta http-equiv="refresh"' in page) == open_still
    assert ("HX-Refresh" in answer.headers) == (not open_still)


@pytest.mark.parametrize("step", ["stop", "delete", "share", "withdraw", "take-back"])
def test_nobody_changes_a_clip_of_somebody_else(
    artist: Caller,
    other_artist: Caller,
    reviewer: Caller,
    sign_in: SignIn,
    now: datetime,
    policy: None,
    step: str,
) -> None:
    _, share = review.on_view(artist, reviewer, now)
    video = queued_video(artist, now)
    before = review.everything()

    for name in (video, Video.objects.exclude(public_id=video).get().public_id):
        answer = sign_in(other_artist).post(f"/studio/clips/{name}/{step}", {"title": "Mine now"})
        assert answer.status_code == 404

    assert review.everything() == before
    assert Client().get(f"/s/{share}").status_code == 200


def test_asking_without_a_title_is_refused_beside_the_form(
    artist: Caller, sign_in: SignIn, now: datetime, policy: None
) -> None:
    video = completed_video(artist, now)

    answer = sign_in(artist).post(f"/studio/clips/{video}/share", {"title": " ", "note": "kept words"})

    assert answer.status_code == 422
    assert "kept words" in answer.content.decode()


def test_the_whole_way_of_a_share_from_its_page(
    artist: Caller, reviewer: Caller, sign_in: SignIn, now: datetime, policy: None
) -> None:
    video = completed_video(artist, now)
    client = sign_in(artist)
    path = f"/studio/clips/{video}"

    client.post(f"{path}/share", {"title": "Harbour", "show_prompt": "on"})
    assert "In review" in client.get(path).content.decode()
    client.post(f"{path}/withdraw")
    assert "Ask to share" in client.get(path).content.decode()
    client.post(f"{path}/share", {"title": "Harbour", "show_prompt": "on"})
    lease = review.claimed(reviewer, now)
    decisions.decide(case=lease.case, lease_token=lease.token, outcome="approve", by=reviewer.actor, now=now)
    made = ReleaseGrant.objects.get().public_id
    assert "On view" in client.get(path).content.decode()
    client.post(f"{path}/take-back", {"reason": "second thoughts"})

    assert "Taken back" in client.get(path).content.decode()
    assert Client().get(f"/s/{made}").status_code == 410
    assert Client().get(f"/s/{made}/video.mp4").status_code == 410


def test_a_negative_answer_names_its_reasons_and_the_policy_on_the_clip_and_on_the_wall(
    artist: Caller, reviewer: Caller, sign_in: SignIn, now: datetime, policy: None
) -> None:
    made = review.asked(artist, now)
    review.decided(made, "refuse", reviewer, now)
    client = sign_in(artist)

    page = client.get(f"/studio/clips/{made.video}").content.decode()

    assert "by policy version 1." in page
    assert "no consent on file" in page
    assert "<p>For P2</p>" in client.get("/studio/shared").content.decode()


def test_an_artist_says_whether_their_name_stands_in_files(artist: Caller, sign_in: SignIn) -> None:
    client = sign_in(artist)
    box = '<input type="checkbox" name="credited"'
    assert f"{box}>" in client.get("/studio/shared").content.decode(), "not unless they wish it"

    for wished, shown in (({"credited": "on"}, f"{box} checked>"), ({}, f"{box}>")):
        assert client.post("/studio/credit", wished)["Location"] == "/studio/shared"
        assert "Saved. Files that are made from now on" in client.get("/studio/shared").content.decode()
        assert shown in client.get("/studio/shared").content.decode()
    actions = AuditEvent.objects.order_by("-seq").values_list("action", flat=True)[:2]
    assert list(actions) == ["membership.not_credited", "membership.credited"]


def test_a_clip_in_review_says_by_when_it_is_answered(
    artist: Caller, sign_in: SignIn, now: datetime, policy: None
) -> None:
    review.asked(artist, now)
    due = (now + timedelta(hours=48)).astimezone(ZoneInfo(people.ZONE))

    wall = sign_in(artist).get("/studio").content.decode()

    assert f"{due:%a} {due.day} {due:%b, %H:%M}</time>" in wall


def test_a_render_is_stopped_from_the_wall_and_one_stays_there(
    artist: Caller, sign_in: SignIn, now: datetime
) -> None:
    video = queued_video(artist, now)
    client = sign_in(artist)
    assert f'action="/studio/clips/{video}/stop"' in client.get("/studio").content.decode()

    answer = client.post(f"/studio/clips/{video}/stop", {"to": "studio"})

    assert answer["Location"] == "/studio"
    assert Video.objects.get().state == VideoState.CANCELLED
    assert f'action="/studio/clips/{video}/stop"' not in client.get("/studio").content.decode()


def test_a_person_in_two_programmes_works_in_the_one_they_choose(
    artist: Caller, sign_in: SignIn, now: datetime
) -> None:
    assert artist.membership is not None
    client = sign_in(artist)
    assert 'name="membership"' not in client.get("/studio").content.decode()
    elsewhere = people.programme(now)
    put_variants(elsewhere.id, now)
    secret = people.invite(people.cohort(elsewhere.id, now), now)
    joined = invitations.accept(secret=secret, user_id=artist.user_id, by=artist.actor, now=now)
    other = membership(joined)
    assert other is not None
    assert client.get("/studio")["Location"] == "/welcome"
    assert f'<option value="{artist.membership.public_id}">' in client.get("/welcome").content.decode()
    people.accept_terms(other, now)

    for member in (artist.membership, other):
        client.post("/studio/membership", {"membership": member.public_id})
        page = client.get("/studio").content.decode()
        assert f'<option value="{member.public_id}" selected>' in page
        client.post("/studio", ORDER)
        assert Video.objects.latest("id").membership_id == member.id


def test_a_membership_of_somebody_else_cannot_be_chosen(
    artist: Caller, other_artist: Caller, sign_in: SignIn, now: datetime
) -> None:
    assert artist.membership is not None
    assert other_artist.membership is not None
    client = sign_in(artist)

    client.post("/studio/membership", {"membership": other_artist.membership.public_id})
    client.post("/studio", ORDER)

    assert Video.objects.get().membership_id == artist.membership.id


def test_the_studio_explains_itself_to_those_who_are_in_no_programme(
    operator: Caller, sign_in: SignIn
) -> None:
    answer = sign_in(operator).get("/studio")

    assert answer.status_code == 200
    assert "not in a programme" in answer.content.decode()


def test_a_deleted_clip_is_gone_from_every_page(artist: Caller, sign_in: SignIn, now: datetime) -> None:
    video = completed_video(artist, now)
    client = sign_in(artist)

    assert "Delete 1 clip" in client.get(f"/studio/clips/{video}/delete").content.decode()
    client.post(f"/studio/clips/{video}/delete")

    assert client.get(f"/studio/clips/{video}").status_code == 404
    assert video not in client.get("/studio").content.decode()


def test_a_token_is_shown_once_and_works_until_it_is_revoked(artist: Caller, sign_in: SignIn) -> None:
    client = sign_in(artist)
    body = {"name": "laptop", "scopes": ["videos:read"], "days": "7"}

    page = client.post("/studio/tokens", body).content.decode()
    secret = page.split('<code class="secret" tabindex="0">', 1)[1].split("<", 1)[0]
    token = ApiToken.objects.get()
    headers = {"Authorization": f"Bearer {secret}"}

    assert secret not in client.get("/studio/tokens").content.decode()
    assert Client().get("/v1/videos", headers=headers).status_code == 200
    client.post(f"/studio/tokens/{token.public_id}/revoke")
    assert Client().get("/v1/videos", headers=headers).status_code == 401


def test_a_suspended_member_sees_and_deletes_but_does_not_render(
    artist: Caller, sign_in: SignIn, now: datetime
) -> None:
    from core.actors import system
    from programme.services import memberships

    video = completed_video(artist, now)
    assert artist.membership is not None
    memberships.suspend(membership_id=artist.membership.id, by=system("test"), now=now)
    client = sign_in(artist)

    assert client.get(f"/studio/clips/{video}/video.mp4").getvalue()
    assert client.post("/studio", ORDER).status_code == 403
    assert client.post("/studio/tokens", {"name": "x", "scopes": "videos:read"}).status_code == 403
    assert client.post(f"/studio/clips/{video}/delete").status_code == 302
    assert queries.counts(artist.membership.programme.id)["completed"] == 1


# Statements of each page, the session's three among them. They must not grow with what hangs there.
PAGES = {
    "/studio": 22,
    "/studio?show=starred": 22,
    "/studio/shared": 13,
    "/studio/tokens": 4,
    "/studio/terms": 4,
    "/studio/styles": 9,
    "/studio/characters": 8,
    "/studio/takes/{order}": 13,
    "/studio/clips/{video}": 14,
    "/studio/clips/{video}/state": 9,
    "/studio/clips/{video}/delete": 9,
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_costs_the_same_when_rows_double(
    artist: Caller, reviewer: Caller, sign_in: SignIn, now: datetime, policy: None, page: str
) -> None:
    made, _ = review.on_view(artist, reviewer, now)
    queued_video(artist, now)
    client = sign_in(artist)
    path = page.format(video=made.video, order=Video.objects.get(public_id=made.video).request)
    once = _cost(client, path)
    for number in range(3):
        queued = Video.objects.filter(state="queued").values_list("public_id", flat=True)
        for name in queued:
            client.post(f"/studio/clips/{name}/stop")
        review.on_view(artist, reviewer, now + timedelta(seconds=number))
        queued_video(artist, now, seconds=2)

    assert _cost(client, path) == once
    assert once <= PAGES[page]

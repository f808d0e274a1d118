from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from access.caller import Caller
from generation.models import ModelVariant
from generation.states import VideoState
from programme.queries import ProgrammeView, memberships_of
from tests.factories import people
from tests.factories.api import Api
from tests.factories.generation import PROMPT, completed_video, video_at
from tests.factories.review import put_policy

pytestmark = pytest.mark.django_db
Of = Callable[[Caller], Api]


@pytest.mark.parametrize("accept", ["application/binary", "*/*", "video/mp4", "text/html", ""])
@pytest.mark.parametrize(
    ("query", "kind", "media_type"),
    [
        ("", "mp4", "video/mp4"),
        ("?variant=video", "mp4", "video/mp4"),
        ("?variant=thumbnail", "poster", "image/jpeg"),
    ],
)
def test_sends_the_file_whatever_the_client_says_it_accepts(
    api: Of, artist: Caller, now: datetime, accept: str, query: str, kind: str, media_type: str
) -> None:
    video = completed_video(artist, now)

    answer = api(artist).get(f"/videos/{video}/content{query}", accept=accept)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == media_type
    assert answer.body.startswith(f"{kind} of {video}".encode())
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_sends_parts_of_the_file(api: Of, artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now)
    client = api(artist)
    whole = client.get(f"/videos/{video}/content").body

    part = client.get(f"/videos/{video}/content", range="bytes=10-19")
    beyond = client.get(f"/videos/{video}/content", range=f"bytes={len(whole)}-")

    assert (part.status, part.body) == (206, whole[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
    beyond.refused(416, "range_not_satisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize("variant", ["source", "mp4", "", "../../etc/passwd", "%00"])
def test_names_the_variants_that_there_are(api: Of, artist: Caller, now: datetime, variant: str) -> None:
    video = completed_video(artist, now)

    refusal = api(artist).get(f"/videos/{video}/content?variant={variant}").refused(400, "invalid_request")

    assert refusal["error"]["param"] == "variant"


@pytest.mark.parametrize("state", [state for state in VideoState if state != VideoState.COMPLETED])
def test_says_that_there_is_no_file_yet(api: Of, artist: Caller, now: datetime, state: VideoState) -> None:
    video = video_at(state, artist, now)

    api(artist).get(f"/videos/{video}/content").refused(409, "not_completed")


def test_a_token_of_another_membership_of_the_same_person_gets_nothing(
    api: Of, artist: Caller, now: datetime, programme: ProgrammeView
) -> None:
    """Tokens and clips hang on the membership: the same person's token of another programme is a stranger here."""
    from access import gate
    from programme.services import invitations
    from tests.factories.people import actor_of

    video = completed_video(artist, now)
    second = people.cohort(people.programme(now).id, now)
    by = actor_of(artist.user_id)
    invitations.accept(secret=people.invite(second, now), user_id=artist.user_id, by=by, now=now)
    elsewhere = next(
        found
        for found in memberships_of(artist.user_id)
        if artist.membership and found.id != artist.membership.id
    )
    people.accept_terms(elsewhere, now)
    stranger = api(gate.caller_for_user(artist.user_id, elsewhere.public_id))

    stranger.get(f"/videos/{video}").refused(404, "not_found")
    stranger.get(f"/videos/{video}/content").refused(404, "not_found")
    assert stranger.get("/videos").ok()["data"] == []


def test_lists_models_with_their_limits_in_openais_shape(api: Of, artist: Caller) -> None:
    ModelVariant.objects.filter(slug="turbo-1").update(
        sizes=["1280x720", "720x1280", "640x360", "1920x1080"], rates=[30, 24]
    )
    client = api(artist)

    models = client.get("/models").ok()

    assert models["object"] == "list"
    assert [model["id"] for model in models["data"]] == ["turbo-1", "full-1"]
    turbo = models["data"][0]
    assert (turbo["object"], turbo["owned_by"]) == ("model", "private-view")
    assert isinstance(turbo["created"], int)
    assert turbo["sizes"] == ["640x360", "1280x720", "720x1280", "1920x1080"]
    assert turbo["seconds"] == ["2", "4", "6", "8", "10", "12"]
    assert turbo["rates"] == [24, 30]
    assert turbo["defaults"] == {"size": "1280x720", "seconds": "4", "fps": 30}
    unasked = client.post("/videos", {"prompt": PROMPT}).ok()
    assert {name: unasked[name] for name in turbo["defaults"]} == turbo["defaults"]
    assert client.get("/models/turbo-1").ok() == turbo
    client.get("/models/sora-2").refused(404, "not_found")


def test_tells_the_caller_who_they_are_and_what_is_left(api: Of, artist: Caller, reviewer: Caller) -> None:
    client = api(artist)
    client.post("/videos", {"prompt": PROMPT, "seconds": 4}).ok()

    me = client.get("/me").ok()

    assert me["token"]["scopes"] == ["shares:write", "videos:read", "videos:write"]
    assert me["membership"]["terms"] == {"version": 1, "accepted": True}
    assert {name: me["quota"][name] for name in ("limit", "reserved", "used", "left")} == {
        "limit": 120,
        "reserved": 4,
        "used": 0,
        "left": 116,
    }
    desk = api(reviewer).get("/me").ok()
    assert (desk["roles"], desk["membership"], desk["quota"]) == (["reviewer"], None, None)
    assert artist.email not in str(me)


def test_publishes_the_policy_with_what_never_counts(
    api: Of, artist: Caller, reviewer: Caller, programme: ProgrammeView, now: datetime
) -> None:
    api(artist).get("/policy").refused(404, "not_found")
    put_policy(programme.id, now)

    for caller in (artist, reviewer):
        policy = api(caller).get("/policy").ok()
        assert policy["version"] == 1
        assert [reason["code"] for reason in policy["reasons"]] == ["P1", "P2", "S1"]
        assert [reason["code"] for reason in policy["never"]] == ["N1", "N2"]

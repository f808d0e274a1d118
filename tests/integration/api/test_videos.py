from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import pytest

from access.caller import Caller
from core.ids import new
from generation import queries, status
from generation.services import lifecycle
from generation.states import VideoState
from programme.queries import quota_today
from tests.factories.api import Api
from tests.factories.generation import PROMPT, claim, completed_video, queued_video, video_at

pytestmark = pytest.mark.django_db
Of = Callable[[Caller], Api]

# The members of OpenAI's Video type, and the JSON types of each.
OPENAI_VIDEO: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "object": (str,),
    "model": (str,),
    "status": (str,),
    "progress": (int,),
    "created_at": (int,),
    "completed_at": (int, type(None)),
    "expires_at": (int, type(None)),
    "prompt": (str, type(None)),
    "size": (str,),
    "seconds": (str,),
    "remixed_from_video_id": (str, type(None)),
    "error": (dict, type(None)),
}


def left(caller: Caller, now: datetime) -> int:
    assert caller.membership is not None
    return quota_today(caller.membership.id, now).left


@pytest.mark.parametrize(
    ("way", "body"),
    [
        ("json", {"prompt": PROMPT, "model": "full-1", "seconds": "6", "size": "640x360", "seed": 7}),
        ("json", {"prompt": PROMPT, "model": "full-1", "seconds": 6, "size": "640x360", "seed": "7"}),
        ("form", {"prompt": PROMPT, "model": "full-1", "seconds": "6", "size": "640x360", "seed": "7"}),
        (
            "json",
            {
                "prompt": PROMPT,
                "model": "full-1",
                "seconds": 6,
                "size": "640x360",
                "seed": 7,
                "n": 1,
            },
        ),
    ],
)
def test_queues_what_is_asked_for_as_json_or_multipart(
    api: Of, artist: Caller, now: datetime, way: str, body: dict[str, Any]
) -> None:
    sent = api(artist).post("/videos", form=body) if way == "form" else api(artist).post("/videos", body)

    video = sent.ok()
    clip = queries.clip(video["id"])
    assert clip is not None
    assert (clip.prompt, clip.variant_slug, clip.seconds, clip.size, clip.seed) == (
        PROMPT,
        "full-1",
        6,
        "640x360",
        7,
    )
    assert clip.membership_id == (artist.membership and artist.membership.id)
    assert sent.headers["openai-poll-after-ms"] == "2000"
    assert video["quota"] == {"reserved": clip.cost, "charged": 0, "refunded": 0}
    assert left(artist, now) == 120 - clip.cost


@pytest.mark.parametrize("state", list(VideoState))
def test_a_video_reads_as_openais_type_in_every_state(
    api: Of, artist: Caller, now: datetime, state: VideoState
) -> None:
    made = video_at(state, artist, now)

    video = api(artist).get(f"/videos/{made}").ok()

    for name, types in OPENAI_VIDEO.items():
        assert isinstance(video[name], types), name
    assert video["object"] == "video"
    assert video["status"] in {"queued", "in_progress", "completed", "failed"}
    assert (video["model"], video["size"], video["seconds"]) == ("turbo-1", "1280x720", "4")
    assert (video["error"] is None) == (state in {"queued", "in_progress", "completed"})
    assert (video["completed_at"] is not None) == (state == VideoState.COMPLETED)
    assert (video["queue"] is not None) == (state == VideoState.QUEUED)
    assert video["share"]["state"] == "private"
    quota = video["quota"]
    expected = {"queued": "reserved", "in_progress": "reserved", "completed": "charged"}.get(
        state, "refunded"
    )
    assert {name for name, seconds in quota.items() if seconds} == {expected}


def test_a_stopped_render_reads_as_failed_because_clients_end_at_any_other_word(
    api: Of, artist: Caller, now: datetime
) -> None:
    made = queued_video(artist, now)
    before = left(artist, now)

    stopped = api(artist).post(f"/videos/{made}/cancel").ok()

    assert (stopped["status"], stopped["error"]["code"]) == ("failed", "cancelled")
    assert stopped["quota"]["refunded"] == 4
    assert left(artist, now) == before + 4
    api(artist).post(f"/videos/{made}/cancel").refused(409, "already_ended")


def test_tells_the_place_in_the_queue_and_the_wait_from_what_was_measured(
    api: Of, artist: Caller, other_artist: Caller, now: datetime
) -> None:
    first, second = queued_video(artist, now), queued_video(other_artist, now)
    alone = api(artist).get(f"/videos/{first}").ok()["queue"]
    behind = api(other_artist).get(f"/videos/{second}").ok()["queue"]

    assert alone == {"position": 1, "eta_seconds": None}
    assert behind == {"position": 2, "eta_seconds": None}
    for made, caller in ((first, artist), (second, other_artist)):
        clip = queries.clip(made)
        assert clip is not None
        place = queries.waiting(clip)
        row = status.status(made, clip.membership_id)
        assert place is not None
        assert row is not None
        assert (place.position, place.seconds) == (row.position, row.wait), caller.public_name


def test_reports_the_percentage_that_the_worker_published(api: Of, artist: Caller, now: datetime) -> None:
    from generation import progress

    made = queued_video(artist, now)
    claim(now)
    progress.publish(made, state="in_progress", done=3, total=8)

    video = api(artist).get(f"/videos/{made}").ok()

    assert (video["status"], video["progress"]) == ("in_progress", 37)
    assert api(artist).get("/videos").ok()["data"][0]["progress"] == 37


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_lists_own_videos_page_by_page_with_the_five_members(
    api: Of, artist: Caller, other_artist: Caller, now: datetime, order: Literal["asc", "desc"]
) -> None:
    mine = [queued_video(artist, now) for _ in range(5)]
    queued_video(other_artist, now)
    expected = mine if order == "asc" else mine[::-1]

    seen: list[str] = []
    after = ""
    while True:
        page = api(artist).get(f"/videos?limit=2&order={order}{after}").ok()
        assert set(page) == {"object", "data", "first_id", "last_id", "has_more"}
        ids = [video["id"] for video in page["data"]]
        assert (page["object"], page["first_id"], page["last_id"]) == ("list", ids[0], ids[-1])
        seen += ids
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"

    assert seen == expected


def test_an_empty_list_has_no_ends(api: Of, artist: Caller) -> None:
    page = api(artist).get("/videos").ok()

    assert page == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


def test_a_deleted_video_is_gone_from_everywhere_and_still_marks_its_place_in_the_list(
    api: Of, artist: Caller, now: datetime
) -> None:
    older, deleted, newer = (completed_video(artist, now) for _ in range(3))

    gone = api(artist).delete(f"/videos/{deleted}", content_type="application/json").ok()

    assert gone == {"id": deleted, "object": "video.deleted", "deleted": True}
    api(artist).get(f"/videos/{deleted}").refused(404, "not_found")
    api(artist).get(f"/videos/{deleted}/content").refused(404, "not_found")
    api(artist).delete(f"/videos/{deleted}").refused(404, "not_found")
    assert [video["id"] for video in api(artist).get("/videos").ok()["data"]] == [newer, older]
    assert [video["id"] for video in api(artist).get(f"/videos?after={deleted}").ok()["data"]] == [older]


@pytest.mark.parametrize("state", list(VideoState))
def test_somebody_elses_video_is_as_if_it_were_not_there(
    api: Of, artist: Caller, other_artist: Caller, now: datetime, state: VideoState
) -> None:
    made = video_at(state, artist, now)
    stranger = api(other_artist)
    before = queries.clip(made)

    for path in (f"/videos/{made}", f"/videos/{made}/content", f"/videos/{made}/share"):
        assert _same(stranger.get(path).refused(404, "not_found"), stranger, made)
    stranger.delete(f"/videos/{made}").refused(404, "not_found")
    stranger.post(f"/videos/{made}/cancel").refused(404, "not_found")
    stranger.post(f"/videos/{made}/share", {"title": "Mine"}).refused(404, "not_found")
    stranger.delete(f"/videos/{made}/share").refused(404, "not_found")
    stranger.get(f"/videos?after={made}").refused(400, "bad_cursor")
    assert queries.clip(made) == before


def _same(refusal: dict[str, Any], stranger: Api, made: str) -> bool:
    """Another's id and an invented one read alike."""
    invented = stranger.get(f"/videos/{new('video')}").refused(404, "not_found")
    return made not in str(refusal) and refusal["title"] == invented["title"]


def test_a_worker_that_is_lost_leaves_the_video_queued_for_its_client(
    api: Of, artist: Caller, now: datetime
) -> None:
    made = queued_video(artist, now)
    claim(now)
    lifecycle.reap(now=now + lifecycle.LEASE * 2)

    assert api(artist).get(f"/videos/{made}").ok()["status"] == "queued"

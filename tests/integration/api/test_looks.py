"""Styles, pictures and characters, as programs keep and use them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from access.caller import Caller
from generation.models import Character, ModelVariant, StylePreset
from tests.factories.api import Api
from tests.factories.generation import PROMPT
from tests.factories.looks import filmed, picture, pixels, unchanged

pytestmark = pytest.mark.django_db
Of = Callable[[Caller], Api]
STYLE = {"name": "Night", "template": "{prompt} at night", "negative_prompt": "sun", "guidance": 3}


def test_an_own_style_is_made_used_and_retired(api: Of, artist: Caller) -> None:
    client = api(artist)
    style = client.post("/styles", STYLE).ok()
    assert (style["name"], style["own"], style["guidance"]) == ("Night", True, 3.0)
    assert [row["id"] for row in client.get("/styles").ok()["data"]] == [style["id"]]

    made = client.post("/videos", {"prompt": PROMPT, "style": "Night"}).ok()

    assert made["style"] == {"id": style["id"], "name": "Night"}
    assert made["negative_prompt"] == "sun"
    assert client.delete(f"/styles/{style['id']}").ok()["deleted"] is True
    client.get(f"/styles/{style['id']}").refused(404, "not_found")
    with unchanged():
        client.post("/videos", {"prompt": PROMPT, "style": style["id"]}).refused(400, "style_retired")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"template": "nothing"}, "template"),
        ({"guidance": "much"}, "guidance"),
        ({"guidance": 1e999}, "guidance"),
        ({"adapter_weight": 9}, "adapter_weight"),
        ({"adapter": "lora_of_nobody"}, "adapter"),
    ],
)
def test_a_bad_style_names_its_field_and_changes_nothing(
    api: Of, artist: Caller, change: dict[str, Any], field: str
) -> None:
    form = {name: value for name, value in (STYLE | change).items() if value is not None}
    client = api(artist)
    with unchanged():
        refused = client.post("/styles", form=form).json
    assert set(refused["fields"]) == {field}


def test_nobody_sees_or_uses_an_own_style_of_another(api: Of, artist: Caller, other_artist: Caller) -> None:
    style = api(artist).post("/styles", STYLE).ok()["id"]
    other = api(other_artist)

    assert other.get("/styles").ok()["data"] == []
    with unchanged():
        other.get(f"/styles/{style}").refused(404, "not_found")
        other.delete(f"/styles/{style}").refused(404, "not_found")
        other.post("/videos", {"prompt": PROMPT, "style": style}).refused(400, "unknown_style")
    assert StylePreset.objects.filter(retired_at=None).count() == 1


def test_a_picture_is_kept_read_and_removed(api: Of, artist: Caller, other_artist: Caller) -> None:
    client = api(artist)
    sent = picture()

    kept = client.post("/references", form={"file": SimpleUploadedFile("a.png", sent)}).ok()
    answer = client.get(f"/references/{kept['id']}/content")

    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (
        "image/png",
        "private, no-store",
    )
    assert (pixels(answer.body) == pixels(sent)).all()
    for path in ("", "/content"):
        api(other_artist).get(f"/references/{kept['id']}{path}").refused(404, "not_found")
    api(other_artist).delete(f"/references/{kept['id']}").refused(404, "not_found")
    assert client.delete(f"/references/{kept['id']}").ok()["deleted"] is True
    client.get(f"/references/{kept['id']}/content").refused(404, "not_found")


def test_a_frame_of_an_own_clip_becomes_a_picture(
    api: Of, artist: Caller, other_artist: Caller, now: datetime
) -> None:
    video = filmed(artist, now)

    kept = api(artist).post("/references", {"video": video, "second": 0}).ok()

    assert (kept["video"], kept["frame"], kept["size"]) == (video, 0, "160x96")
    client, other = api(artist), api(other_artist)
    with unchanged():
        client.get(f"/references/{kept['id']}/content").refused(403, "session_only")
        other.get(f"/references/{kept['id']}/content").refused(404, "not_found")
        other.post("/references", {"video": video, "second": 0}).refused(404, "not_found")
        client.post("/references", {"video": video, "second": 99}).refused(400, "invalid_second")
        client.post("/references", {"video": video}).refused(400, "invalid_request")


def test_pictures_are_listed_page_by_page(api: Of, artist: Caller) -> None:
    client = api(artist)
    for seed in range(3):
        client.post("/references", form={"file": SimpleUploadedFile("a.png", picture(seed=seed))}).ok()

    first = client.get("/references?limit=2").ok()
    rest = client.get(f"/references?limit=2&after={first['last_id']}").ok()

    assert (len(first["data"]), first["has_more"]) == (2, True)
    assert (len(rest["data"]), rest["has_more"]) == (1, False)
    client.get("/references?after=ref_nothing").refused(400, "bad_cursor")


def test_a_character_gives_a_clip_its_first_picture(api: Of, artist: Caller, now: datetime) -> None:
    ModelVariant.objects.filter(slug="turbo-1").update(images=True)
    video, client = filmed(artist, now), api(artist)
    pictures = [client.post("/references", {"video": video, "second": at}).ok()["id"] for at in (0, 1)]

    made = client.post("/videos/characters", {"name": "Keel", "pictures": pictures}).ok()
    clip = client.post("/videos", {"prompt": PROMPT, "character": "Keel"}).ok()

    assert made["object"] == "video.character"
    assert [row["id"] for row in made["pictures"]] == pictures
    assert clip["input_reference"] == pictures[0]
    assert client.get(f"/videos/characters/{made['id']}").ok()["name"] == "Keel"
    assert client.delete(f"/videos/characters/{made['id']}").ok()["deleted"] is True
    assert client.get("/videos/characters").ok()["data"] == []


def test_a_character_is_made_as_openais_client_asks_for_it(api: Of, artist: Caller, now: datetime) -> None:
    video, client = filmed(artist, now), api(artist)
    mp4 = client.get(f"/videos/{video}/content").body

    made = client.post(
        "/videos/characters", form={"name": "Keel", "video": SimpleUploadedFile("clip.mp4", mp4)}
    ).ok()

    assert made["name"] == "Keel"
    assert [(row["video"], row["frame"]) for row in made["pictures"]] == [(video, 0)]


def test_a_character_that_is_refused_leaves_no_picture(api: Of, artist: Caller, now: datetime) -> None:
    video, client = filmed(artist, now), api(artist)

    with unchanged():
        client.post("/videos/characters", {"name": " ", "video": {"id": video}}).refused(400, "invalid_name")
        client.post("/videos/characters", {"name": "a" * 61, "video": {"id": video}}).refused(
            400, "invalid_name"
        )


def test_a_character_of_another_is_not_there(
    api: Of, artist: Caller, other_artist: Caller, now: datetime
) -> None:
    video, client, other = filmed(artist, now), api(artist), api(other_artist)
    character = client.post("/videos/characters", {"name": "Keel", "video": {"id": video}}).ok()["id"]

    with unchanged():
        other.get(f"/videos/characters/{character}").refused(404, "not_found")
        other.delete(f"/videos/characters/{character}").refused(404, "not_found")
        other.post("/videos/characters", {"name": "Mine", "video": {"id": video}}).refused(404, "not_found")
    assert Character.objects.filter(removed_at=None).count() == 1

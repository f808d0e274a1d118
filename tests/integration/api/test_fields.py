"""Every address that writes refuses, by name, each field that it does not take; then nothing has changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from access.caller import Caller
from api import urls
from api.base import ApiView
from api.inputs import Fields
from core.errors import Invalid
from generation.models import ModelVariant, StylePreset
from generation.queries import own_clip
from generation.services import styles
from generation.services.styles import StyleSpec
from tests.factories.api import Api
from tests.factories.generation import PROMPT, completed_video
from tests.factories.looks import filmed, picture, unchanged
from tests.factories.review import everything

pytestmark = pytest.mark.django_db
Of = Callable[[Caller], Api]


def _writing() -> list[tuple[str, str]]:
    """Method and address of all that writes, as the list of addresses has them."""
    found = []
    for pattern in urls.urlpatterns:
        view: type[ApiView] = getattr(pattern.callback, "view_class", ApiView)
        found += [(method, str(pattern.pattern)) for method in ("post", "delete") if hasattr(view, method)]
    return found


def _member(caller: Caller) -> int:
    assert caller.membership is not None
    return caller.membership.id


@pytest.mark.parametrize("way", ["json", "form"])
@pytest.mark.parametrize(("method", "route"), _writing())
def test_refuses_a_field_that_the_address_does_not_take(
    api: Of, artist: Caller, reviewer: Caller, now: datetime, method: str, route: str, way: str
) -> None:
    video = completed_video(artist, now)
    clip = own_clip(video, _member(artist))
    assert clip is not None
    known = {"video": video, "order": clip.request}
    path = "/" + re.sub(r"<id:([a-z]+)>", lambda found: known.get(found[1], "of_nobody"), route)
    client = api(reviewer if route.startswith("review/") else artist)
    body = b'{"colour": "blue"}' if way == "json" else b"colour=blue"
    kind = "application/json" if way == "json" else "application/x-www-form-urlencoded"
    before = everything()

    answer = client.send(method.upper(), path, body, kind)

    refusal = answer.refused(400, "invalid_request")
    assert "“colour” is no field of this address, which takes" in refusal["fields"]["colour"]
    assert everything() == before


def test_the_sweep_knows_the_addresses_that_write() -> None:
    assert ("post", "videos") in _writing()
    assert ("delete", "styles/<id:style>") in _writing()
    assert len(_writing()) > 20


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/videos", {"prompt": PROMPT}),
        ("/videos/{}/remix", {"prompt": PROMPT}),
        ("/videos/edits", {"prompt": PROMPT, "video": {"id": "{}"}}),
        ("/videos/extensions", {"video": {"id": "{}"}}),
        ("/videos/{}/final", {}),
    ],
)
@pytest.mark.parametrize("name", ["steps", "guidance"])
def test_refuses_what_the_house_decides_and_says_who_decides_it(
    api: Of, artist: Caller, now: datetime, path: str, body: dict[str, Any], name: str
) -> None:
    video = completed_video(artist, now)
    if "video" in body:
        body = body | {"video": {"id": video}}
    client = api(artist)

    with unchanged():
        refusal = client.post(path.format(video), body | {name: 7}).refused(400, "invalid_request")

    assert set(refusal["fields"]) == {name}
    assert "The model decides" in refusal["detail"]


@pytest.mark.parametrize("field", ["input_reference", "character"])
@pytest.mark.parametrize("way", ["json", "form"])
def test_refuses_another_beginning_for_a_clip_that_goes_on(
    api: Of, artist: Caller, now: datetime, field: str, way: str
) -> None:
    ModelVariant.objects.update(images=True)
    video = filmed(artist, now)
    client, path = api(artist), "/videos/extensions"
    with unchanged():
        if way == "json":
            value: Any = "Keel" if field == "character" else {"file_id": "ref_of_somebody"}
            answer = client.post(path, {"video": {"id": video}, field: value})
        else:
            value = "Keel" if field == "character" else SimpleUploadedFile("start.png", picture())
            answer = client.post(path, form={"video[id]": video, field: value})

    refusal = answer.refused(400, "invalid_request")
    assert set(refusal["fields"]) == {field}
    assert "last picture of the one before" in refusal["detail"]


@pytest.mark.parametrize(
    ("path", "form", "field"),
    [
        ("/references", {"file": "a picture", "video": "video_x", "second": "1"}, "file"),
        ("/references", {"video": "video_x"}, "file"),
        ("/videos/characters", {"name": "Keel", "pictures": "ref_a", "video[id]": "video_x"}, "video"),
        ("/videos", {"prompt": PROMPT, "input_reference": '{"file_id": "a", "image_url": "b"}'},
         "input_reference"),
        ("/videos", {"prompt": PROMPT, "input_reference": '{"file_id": "a", "crop": "b"}'},
         "input_reference[crop]"),
        ("/videos", {"prompt": PROMPT, "input_reference[file_id]": "a", "input_reference[crop]": "b"},
         "input_reference[crop]"),
    ],
)  # fmt: skip
def test_refuses_two_ways_of_saying_one_thing(
    api: Of, artist: Caller, path: str, form: dict[str, str], field: str
) -> None:
    client = api(artist)
    with unchanged():
        refusal = client.post(path, form=form)

    assert field in refusal.refused(400, "invalid_request")["fields"]


def test_a_prompt_may_look_like_an_object(api: Of, artist: Caller) -> None:
    prompt = '{"boat": "red"}'
    assert api(artist).post("/videos", {"prompt": prompt}).ok()["prompt"] == prompt


def test_names_that_cannot_be_written_back_are_told_as_they_can() -> None:
    fields = Fields({"\ud83d": 1, "x" * 90: 2, "a\0b": 3} | {f"n{number}": 4 for number in range(50)})

    with pytest.raises(Invalid) as refusal:
        fields.check()

    assert len(refusal.value.fields) == 8
    assert {len(name) for name in refusal.value.fields} <= {6, 40, 3, 2}
    refusal.value.sentence.encode("utf-8")
    assert "which takes none." in refusal.value.sentence


def test_a_final_is_made_in_the_style_that_is_named(api: Of, artist: Caller, now: datetime) -> None:
    taken = styles.create(caller=artist, spec=StyleSpec("Snow", template="{prompt}, in the snow"), now=now)
    other = styles.create(caller=artist, spec=StyleSpec("Night", template="{prompt}, at night"), now=now)
    video = completed_video(artist, now, style=taken, seed=5)
    client = api(artist)

    def made(body: dict[str, Any]) -> tuple[str, str | None, int]:
        final = client.post(f"/videos/{video}/final", body).ok()
        told = client.get(f"/videos/{final['id']}/settings").ok()
        return told["styled_prompt"], told["style"]["id"], told["seed"]

    assert made({"style": "Night"}) == (f"{PROMPT}, at night", other, 5)
    for as_the_take in ({}, {"style": ""}, {"style": None}, {"style": taken}):
        assert made(as_the_take) == (f"{PROMPT}, in the snow", taken, 5)


@pytest.mark.parametrize(
    ("style", "code"),
    [("Nothing", "unknown_style"), ("Retired", "style_retired"), ("Not mine", "unknown_style")],
)
def test_refuses_a_final_in_a_style_that_the_member_may_not_use(
    api: Of, artist: Caller, other_artist: Caller, now: datetime, style: str, code: str
) -> None:
    styles.create(caller=artist, spec=StyleSpec("Retired"), now=now)
    StylePreset.objects.update(retired_at=now)
    styles.create(caller=other_artist, spec=StyleSpec("Not mine"), now=now)
    video = completed_video(artist, now)
    client = api(artist)

    with unchanged():
        refusal = client.post(f"/videos/{video}/final", {"style": style}).refused(400, code)

    assert set(refusal["fields"]) == {"style"}

"""What comes from a clip, and the looks that hold: finals, remixes, settings, styles, characters."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from html import escape
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from access.caller import Caller
from generation.models import Adapter, Character, Master, Reference, StylePreset, Video
from generation.services import characters, choices, lineage, references, styles
from generation.services.styles import StyleSpec
from generation.states import Relation
from programme.queries import ProgrammeView
from tests.factories.generation import completed_video, queued_video
from tests.factories.looks import load_adapters, lora

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db
STYLE = {"name": "Snow light", "description": "In the first snow.", "template": "{prompt}, in the snow"}


@pytest.fixture
def client(artist: Caller, sign_in: SignIn) -> Client:
    return sign_in(artist)


def _picture(artist: Caller, now: datetime, colour: str = "teal") -> str:
    drawn = BytesIO()
    Image.new("RGB", (128, 72), colour).save(drawn, "PNG")
    return references.upload(caller=artist, picture=drawn.getvalue(), now=now)


def test_a_take_becomes_a_final_with_its_seed_in_the_size_that_was_chosen(
    artist: Caller, client: Client, now: datetime
) -> None:
    video = completed_video(artist, now, size="640x360", seconds=4)
    assert "Render final" in client.get(f"/studio/clips/{video}").content.decode()

    answer = client.post(
        f"/studio/clips/{video}/make/final", {"variant": "full-1", "size": "1280x720", "seconds": "10"}
    )

    made, source = Video.objects.latest("id"), Video.objects.get(public_id=video)
    assert answer["Location"] == f"/studio/clips/{made.public_id}"
    assert (made.seed, made.source, made.relation) == (source.seed, source, Relation.FINAL)
    assert (made.variant.slug, made.width, made.seconds) == ("full-1", 1280, 10)


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("final", {"variant": "turbo-1"}, 422),
        ("final", {"seconds": "ten"}, 422),
        ("extend", {"variant": "turbo-1"}, 422),
        ("nothing", {}, 404),
    ],
)
def test_what_cannot_come_from_a_clip_is_told_on_its_page_and_makes_nothing(
    artist: Caller, client: Client, now: datetime, verb: str, body: dict[str, str], status: int
) -> None:
    video = completed_video(artist, now)

    answer = client.post(f"/studio/clips/{video}/make/{verb}", body)

    assert answer.status_code == status
    assert Video.objects.count() == 1


def test_a_frame_of_a_clip_whose_frames_are_lost_is_refused_and_kept_nowhere(
    artist: Caller, client: Client, now: datetime
) -> None:
    video = completed_video(artist, now)
    body = {"second": "1.0", "use": "new", "name": "Ada"}

    for second, status in (("soon", 422), ("99", 422), ("1.0", 409)):
        if status == 409:
            Master.objects.filter(video__public_id=video).update(source_key="")
        answer = client.post(f"/studio/clips/{video}/frame", body | {"second": second})
        assert answer.status_code == status
        assert 'value="Ada"' in answer.content.decode()
    assert not Reference.objects.exists()
    assert not Character.objects.exists()


def test_a_remix_brings_the_clips_words_and_settings_into_the_form(
    artist: Caller, client: Client, now: datetime
) -> None:
    video = completed_video(
        artist, now, prompt="a very particular boat", seed=4711, seconds=6, negative_prompt="fog"
    )

    page = client.get(f"/studio?remix={video}").content.decode()
    client.post("/studio", {"prompt": "a blue boat", "takes": "1", "seed": "4711", "source": video})

    assert "a very particular boat" in page
    assert 'value="4711"' in page
    assert ">fog</textarea>" in page
    assert f'name="source" value="{video}"' in page
    made = Video.objects.latest("id")
    assert (made.source.public_id if made.source else None, made.relation) == (video, Relation.REMIX)


def test_a_clip_of_somebody_else_is_neither_remixed_nor_finished(
    artist: Caller, other_artist: Caller, sign_in: SignIn, now: datetime
) -> None:
    video = completed_video(artist, now)
    stranger = sign_in(other_artist)

    assert stranger.get(f"/studio?remix={video}").status_code == 404
    for verb in ("final", "extend", "again"):
        assert stranger.post(f"/studio/clips/{video}/make/{verb}").status_code == 404
    assert stranger.post(f"/studio/clips/{video}/frame", {"second": "0"}).status_code == 404
    assert stranger.get(f"/studio/clips/{video}/settings.json").status_code == 404
    refused = stranger.post("/studio", {"prompt": "mine now", "takes": "1", "source": video})
    assert refused.status_code in {404, 422}
    assert Video.objects.count() == 1


def test_the_settings_are_a_file_with_the_clips_code(artist: Caller, client: Client, now: datetime) -> None:
    video = completed_video(artist, now, seed=4711)

    answer = client.get(f"/studio/clips/{video}/settings.json")

    assert json.loads(answer.content)["seed"] == 4711
    code = Video.objects.get().code
    assert answer["Content-Disposition"] == f'attachment; filename="{code}.json"'


def test_a_clips_page_lists_what_came_from_what(artist: Caller, client: Client, now: datetime) -> None:
    video = completed_video(artist, now)
    (final,) = lineage.final(caller=artist, video=video, now=now)
    (remix,) = lineage.remix(caller=artist, video=video, prompt="a blue boat", now=now)

    page = client.get(f"/studio/clips/{final}").content.decode()

    tree = page[page.index("What came from what") :]
    assert tree.index(video) < min(tree.index("This clip"), tree.index(remix))
    assert "Remix: a blue boat" in tree
    assert (
        "What came from what" not in client.get(f"/studio/clips/{queued_video(artist, now)}").content.decode()
    )


def test_a_clips_page_says_what_was_not_known_and_how_it_was_made(
    artist: Caller, client: Client, now: datetime
) -> None:
    video = completed_video(artist, now)
    Video.objects.update(ignored_words=["melancholic", "gramophone"])

    page = client.get(f"/studio/clips/{video}").content.decode()

    assert "Left unused: “melancholic”, “gramophone”." in page
    assert "16 frames of 160x96, test" in page
    assert f"/studio/clips/{video}/sprite.vtt" in page


def test_a_style_is_made_changed_and_retired(artist: Caller, client: Client) -> None:
    client.post("/studio/styles", STYLE)
    style = StylePreset.objects.get()
    address = f"/studio/styles/{style.public_id}"
    assert "In the first snow." in client.get("/studio/styles").content.decode()

    client.post(address, STYLE | {"name": "Snow", "guidance": "2,5"})
    style.refresh_from_db()
    assert (style.name, style.guidance) == ("Snow", 2.5)
    client.post(f"{address}/retire")

    style.refresh_from_db()
    assert style.retired_at is not None
    assert client.get(address).status_code == 404
    assert "In the first snow." not in client.get("/studio").content.decode()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": ""}, 422),
        ({"template": "no place"}, 422),
        ({"guidance": "much"}, 422),
        ({"name": "Known"}, 409),
    ],
)
def test_a_style_that_cannot_be_keeps_what_was_typed(
    artist: Caller, client: Client, now: datetime, change: dict[str, str], status: int
) -> None:
    styles.create(caller=artist, spec=StyleSpec("Known"), now=now)

    answer = client.post("/studio/styles", STYLE | change)

    assert answer.status_code == status
    assert "In the first snow." in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()
    assert StylePreset.objects.count() == 1


def test_a_lora_file_is_sent_used_in_a_style_and_retired(
    artist: Caller, other_artist: Caller, client: Client, sign_in: SignIn, programme: ProgrammeView
) -> None:
    load_adapters(programme)
    sent = {"file_name": "Ink", "variant": "turbo-1", "file": SimpleUploadedFile("ink.safetensors", lora())}
    answer = client.post("/studio/adapters", sent, follow=True)
    assert "“Ink” is kept." in answer.content.decode()
    file = Adapter.objects.get(membership__isnull=False)

    client.post("/studio/styles", STYLE | {"adapter": file.public_id, "adapter_weight": "0,5"})
    style = StylePreset.objects.get()
    assert (style.adapter_id, style.adapter_weight) == (file.pk, 0.5)
    assert "Ink" not in sign_in(other_artist).get("/studio/styles").content.decode()
    stranger = sign_in(other_artist).post(f"/studio/adapters/{file.public_id}/retire")
    assert stranger.status_code == 404

    sign_in(artist).post(f"/studio/adapters/{file.public_id}/retire")
    page = sign_in(artist).get("/studio/styles").content.decode()
    assert "No model here renders it now: its LoRA file Ink is retired" in page
    assert "None yet." in page


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"file": ""}, 422, "Choose a safetensors file."),
        ({"file": b"not safetensors"}, 422, None),
        ({"file_name": ""}, 422, None),
        ({"variant": "nothing"}, 422, "There is no model “nothing” here."),
        ({"file_name": "Twice"}, 409, "This file is here already: “Ink”."),
    ],
)
def test_a_lora_file_that_cannot_be_kept_says_why_beside_its_field(
    client: Client, programme: ProgrammeView, change: dict[str, Any], status: int, sentence: str | None
) -> None:
    load_adapters(programme)
    sent: dict[str, Any] = {"file_name": "Ink", "variant": "turbo-1", "file": lora()}
    if status == 409:
        client.post("/studio/adapters", _with_file(sent))

    answer = client.post("/studio/adapters", _with_file(sent | change))

    page = answer.content.decode()
    assert answer.status_code == status
    assert 'aria-invalid="true"' in page
    assert sentence is None or escape(sentence) in page
    assert Adapter.objects.filter(membership__isnull=False).count() == (1 if status == 409 else 0)


def _with_file(values: dict[str, Any]) -> dict[str, Any]:
    file = values["file"]
    return values | ({"file": SimpleUploadedFile("a.safetensors", file)} if file else {})


def test_styles_and_characters_of_somebody_else_are_not_there(
    artist: Caller, other_artist: Caller, sign_in: SignIn, now: datetime
) -> None:
    style = styles.create(caller=artist, spec=StyleSpec("Mine"), now=now)
    picture = _picture(artist, now)
    character = characters.create(caller=artist, name="Ada", pictures=[picture], now=now)
    stranger = sign_in(other_artist)

    for path in (
        f"/studio/styles/{style}",
        f"/studio/characters/{character}",
        f"/studio/pictures/{picture}.png",
    ):
        assert stranger.get(path).status_code == 404
    for path in (
        f"/studio/styles/{style}/retire",
        f"/studio/characters/{character}/remove",
        f"/studio/pictures/{picture}/remove",
    ):
        stranger.post(path)
    assert StylePreset.objects.get().retired_at is None
    assert Character.objects.get().removed_at is None
    assert Reference.objects.get().removed_at is None


def test_a_character_is_made_of_pictures_renamed_and_removed(
    artist: Caller, client: Client, now: datetime
) -> None:
    first, second = _picture(artist, now), _picture(artist, now, "maroon")
    nameless = client.post("/studio/characters", {"name": "", "pictures": [first]})
    assert nameless.status_code == 422
    assert f'value="{first}" form="make" checked' in nameless.content.decode()

    client.post("/studio/characters", {"name": "Ada", "pictures": [first, second]})
    row = Character.objects.get()
    address = f"/studio/characters/{row.public_id}"
    client.post(address, {"name": "Ada Lumen", "pictures": [first, second], "first": second})

    row.refresh_from_db()
    pictures = [entry.reference.public_id for entry in row.entries.order_by("position")]
    assert (row.name, pictures) == ("Ada Lumen", [second, first])
    kept = client.post(f"/studio/pictures/{first}/remove", follow=True).content.decode()
    assert "belongs to the character “Ada Lumen”" in kept
    client.post(f"{address}/remove")
    client.post(f"/studio/pictures/{first}/remove")
    assert not Reference.objects.filter(public_id=first, removed_at=None).exists()
    assert "Ada Lumen" not in client.get("/studio/characters").content.decode()


def test_the_styles_page_tells_how_many_were_kept(artist: Caller, client: Client, now: datetime) -> None:
    style = styles.create(caller=artist, spec=StyleSpec("Snow light"), now=now)
    made = [completed_video(artist, now, style=style, seconds=2) for _ in range(3)]
    assert artist.membership is not None
    choices.star(video=made[0], membership_id=artist.membership.id, by=artist.actor, now=now)

    assert "1 of 3 kept." in client.get("/studio/styles").content.decode()
    assert "1 of 3 kept." in client.get("/studio").content.decode()

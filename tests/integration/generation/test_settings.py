"""What a clip was made with, taken along and asked for again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from access.caller import Caller
from core.errors import Invalid
from generation import queries
from generation.models import ModelVariant, StylePreset, Video
from generation.rules import Order, order_from_settings
from generation.services import clips, lineage, references, requests
from generation.services.styles import StyleSpec
from programme.queries import ProgrammeView
from tests.factories.generation import PROMPT, completed_video, queued_video
from tests.factories.looks import add_adapter, filmed, member_of, picture, programme_style

pytestmark = pytest.mark.django_db

KEYS = [
    "schema", "clip", "code", "request", "take", "prompt", "styled_prompt", "earlier_prompt", "completed_prompt",
    "ignored_words",
    "negative_prompt", "seed", "model", "checkpoint", "steps", "guidance", "size", "seconds", "fps", "codec", "style",
    "adapter", "reference", "source", "relation", "native", "frames_sha256", "worker", "requested_at", "finished_at",
]  # fmt: skip


def _settings(video: str, caller: Caller) -> dict[str, Any]:
    found = queries.settings(video, member_of(caller).id)
    assert found is not None
    return found


@pytest.fixture
def style(programme: ProgrammeView, now: datetime) -> str:
    ink = add_adapter(programme, now, name="Ink")
    ModelVariant.objects.filter(programme_id=programme.id).update(images=True)
    spec = StyleSpec(
        name="Riso",
        template="{prompt}, risograph",
        negative_prompt="photograph",
        adapter=ink,
        adapter_weight=0.8,
    )
    return programme_style(programme, spec, now)


def test_tells_all_that_a_clip_was_made_with(artist: Caller, style: str, now: datetime) -> None:
    start = references.upload(caller=artist, picture=picture(), now=now)
    video = completed_video(artist, now, seed=7, style=style, negative_prompt="text", reference=start)

    told = _settings(video, artist)

    assert list(told) == KEYS
    assert json.loads(json.dumps(told)) == told
    row = Video.objects.select_related("adapter", "reference").get()
    assert row.adapter is not None
    assert row.reference is not None
    assert told["adapter"] == {
        "id": row.adapter.public_id, "name": "Ink", "sha256": row.adapter.sha256, "weight": 0.8
    }  # fmt: skip
    assert told["reference"] == {"id": start, "sha256": row.reference.sha256, "source": None, "frame": None}
    assert told["style"] == {
        "id": style, "name": "Riso", "template": "{prompt}, risograph", "negative_prompt": "photograph"
    }  # fmt: skip
    assert (told["prompt"], told["styled_prompt"]) == (PROMPT, f"{PROMPT}, risograph")
    assert told["negative_prompt"] == "photograph, text"
    assert told["checkpoint"] == {"name": "builtin", "sha256": "0" * 64}
    assert told["native"]["method"] == "16 frames of 160x96, test"
    assert told["worker"] == {"kind": None, "batch": 1, "rung": None}
    assert (told["seed"], told["size"], told["seconds"], told["codec"]) == (7, "1280x720", 4, "h264")


def test_what_is_not_known_yet_is_null(artist: Caller, now: datetime) -> None:
    told = _settings(queued_video(artist, now), artist)

    assert list(told) == KEYS
    empty = {"styled_prompt", "earlier_prompt", "completed_prompt", "negative_prompt", "style", "adapter", "reference",
             "source", "relation", "native", "frames_sha256", "worker", "finished_at"}  # fmt: skip
    assert {name for name, value in told.items() if value is None} == empty


def test_exported_settings_ask_for_the_same_clip(artist: Caller, style: str, now: datetime) -> None:
    start = references.upload(caller=artist, picture=picture(), now=now)
    video = completed_video(artist, now, seed=7, style=style, negative_prompt="text", reference=start)

    order = order_from_settings(json.loads(json.dumps(_settings(video, artist))))

    assert order == Order(
        prompt=PROMPT, variant="turbo-1", seconds=4, size="1280x720", fps=24, seed=7, style=style,
        negative_prompt="text", reference=start,
    )  # fmt: skip
    (made,) = requests.submit(caller=artist, order=order, now=now)
    same = {"prompt", "styled_prompt", "negative_prompt", "seed", "model", "steps", "guidance", "size", "seconds",
            "fps", "codec", "style", "adapter", "reference"}  # fmt: skip
    before, after = _settings(video, artist), _settings(made, artist)
    assert {name: before[name] for name in same} == {name: after[name] for name in same}


def test_what_the_source_completed_is_asked_for_in_full(artist: Caller, style: str, now: datetime) -> None:
    source = filmed(artist, now)
    Video.objects.update(completed_prompt="a big red boat rising at sea")
    (made,) = lineage.extend(caller=artist, video=source, prompt="it falls", now=now)
    Video.objects.filter(public_id=made).update(completed_prompt="a big red boat falling at sea")

    order = order_from_settings(_settings(made, artist))

    assert order.prompt == "a big red boat falling at sea"


def test_a_style_that_was_changed_since_is_told_by_name_alone(
    artist: Caller, style: str, now: datetime
) -> None:
    video = completed_video(artist, now, style=style)
    StylePreset.objects.update(template="{prompt}, woodcut", negative_prompt="colour")

    assert _settings(video, artist)["style"] == {
        "id": style, "name": "Riso", "template": None, "negative_prompt": None
    }  # fmt: skip


def test_tells_where_an_extended_clip_comes_from(artist: Caller, style: str, now: datetime) -> None:
    source = filmed(artist, now)
    (made,) = lineage.extend(caller=artist, video=source, now=now)

    told = _settings(made, artist)

    assert (told["source"], told["relation"]) == (source, "extend")
    assert (told["reference"]["source"], told["reference"]["frame"]) == (source, 15)


def test_a_checkpoint_in_a_folder_does_not_tell_the_folder(artist: Caller, now: datetime) -> None:
    video = queued_video(artist, now)
    ModelVariant.objects.update(checkpoint="/srv/models/secret-lab/wan-1.3b")

    assert _settings(video, artist)["checkpoint"] == {"name": "wan-1.3b", "sha256": None}


def test_settings_are_the_members_own_and_one_statement(
    artist: Caller, other_artist: Caller, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    video = completed_video(artist, now)

    with django_assert_num_queries(1):
        assert queries.settings(video, member_of(artist).id)
    assert queries.settings(video, member_of(other_artist).id) is None
    clips.delete(video=video, by=artist.actor, now=now)
    assert queries.settings(video, member_of(artist).id) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"schema": "something/1"}, "schema"),
        ({"prompt": 7}, "prompt"),
        ({"seed": "7"}, "seed"),
        ({"seed": True}, "seed"),
        ({"seconds": 4.5}, "seconds"),
        ({"style": "style_x"}, "style"),
        ({"style": {"id": 4}}, "style"),
        ({"reference": []}, "reference"),
    ],
)
def test_settings_that_cannot_be_read_are_refused_by_field(
    artist: Caller, now: datetime, changes: dict[str, Any], field: str
) -> None:
    told = _settings(queued_video(artist, now), artist)

    with pytest.raises(Invalid) as refusal:
        order_from_settings(told | changes)

    assert list(refusal.value.fields) == [field]


@pytest.mark.parametrize("settings", [None, [], "text", 7, {}])
def test_what_is_no_export_is_refused(settings: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        order_from_settings(settings)
    assert refusal.value.code == "invalid_settings"

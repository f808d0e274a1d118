"""Styles and frames through the built-in model and a worker's own loop: what a look really does to a clip."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from safetensors.numpy import load, save

from access.caller import Caller
from core.actors import system
from generation.media.probe import source_frames
from generation.models import Master, ModelVariant, Video
from generation.rules import Order
from generation.services import adapters, lineage, references, requests
from generation.services.files import StoredFile
from generation.services.styles import StyleSpec
from generation.worker import run, sources
from programme.queries import ProgrammeView
from tests.factories.generation import LANE, PROMPT
from tests.factories.looks import lora, native, programme_style

pytestmark = pytest.mark.django_db(transaction=True)


def loud_lora() -> bytes:
    """One that shows: both halves of the pair are noise."""
    tensors = load(lora(rank=4))
    chance = np.random.default_rng(3)
    return save({name: chance.normal(size=each.shape).astype(np.float32) for name, each in tensors.items()})


def rendered(video: str) -> Master:
    run.drain(LANE)
    row = Video.objects.get(public_id=video)
    assert row.state == "completed", row.error_sentence
    return row.master


@pytest.mark.timeout(400)
def test_a_lora_style_shows_leaves_no_trace_and_is_the_same_again(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    turbo = ModelVariant.objects.get(programme_id=programme.id, slug="turbo-1")
    turbo.backend, turbo.checkpoint, turbo.steps, turbo.adapters = "diffusers", "builtin", 2, True
    turbo.save()
    adapter = adapters.add_for_programme(
        programme=programme,
        name="Loud",
        variant="turbo-1",
        file=io.BytesIO(loud_lora()),
        by=system("test"),
        now=now,
    )
    programme_style(programme, StyleSpec(name="Loud", adapter=adapter), now)

    def ask(style: str | None = None) -> str:
        order = Order(prompt=PROMPT, seconds=2, size="640x360", seed=5, style=style)
        return requests.submit(caller=artist, order=order, now=now)[0]

    plain, loud = rendered(ask()), rendered(ask("Loud"))
    after = rendered(ask())
    (again,) = lineage.again(caller=artist, video=loud.video.public_id, now=now)

    assert loud.frames_sha256 != plain.frames_sha256
    assert after.frames_sha256 == plain.frames_sha256
    assert rendered(again).frames_sha256 == loud.frames_sha256
    last = references.last_of(caller=artist, video=loud.video.public_id, now=now)
    with TemporaryDirectory() as folder:
        stored = StoredFile(loud.source_key, loud.source_sha256)
        frames = list(source_frames(sources.opened(stored, Path(folder))))
    assert len(frames) == loud.native_frames
    assert np.array_equal(native(last, artist), frames[-1])


@pytest.mark.timeout(400)
def test_what_an_order_leaves_out_is_not_what_the_seed_fills_in(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    ModelVariant.objects.filter(programme_id=programme.id, slug="turbo-1").update(
        backend="diffusers", checkpoint="builtin", steps=2
    )
    others = "orange, yellow, green, teal, blue, purple, pink, white, black"
    order = Order(prompt="a boat at sea", seconds=2, size="640x360", seed=5, negative_prompt=others)

    (video,) = requests.submit(caller=artist, order=order, now=now)

    assert " red boat " in rendered(video).video.completed_prompt

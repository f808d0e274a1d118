"""A variant that was given another checkpoint: the old one is out of memory before the new one comes in."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from access.caller import Caller
from generation.backends import registry
from generation.backends.base import Backend
from generation.backends.diffusers.loaded import Loaded
from generation.models import ModelVariant
from generation.worker import shelf
from tests.factories.generation import claim, queued_video
from tests.rig.tiny.wan import save_tiny_wan

pytestmark = pytest.mark.django_db


@pytest.fixture
def names_checkpoint(
    tmp_path: Path, artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Backend]:
    """What a worker renders with once the variant names the checkpoint of that name."""
    monkeypatch.setattr(registry, "_loaded", {})
    monkeypatch.setattr(shelf, "lanes", ("turbo",))
    for name in ("first", "second"):
        save_tiny_wan(tmp_path / name)
        (tmp_path / name / "note.txt").write_text(name)  # another digest

    def name_it(name: str) -> Backend:
        ModelVariant.objects.filter(queue="turbo").update(
            backend="diffusers", checkpoint=str(tmp_path / name)
        )
        queued_video(artist, now)
        return shelf.backend_of(claim(now))

    return name_it


def test_the_old_model_has_left_the_memory_when_the_new_one_is_read(
    names_checkpoint: Callable[[str], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = names_checkpoint("first")
    digest, model = first.checkpoint, weakref.ref(first._room._there)  # type: ignore[attr-defined]
    del first
    there: list[object] = []

    class Watched(Loaded):
        def __init__(self, *given: Any) -> None:
            there.append(model())
            super().__init__(*given)

    monkeypatch.setattr("generation.backends.diffusers.room.Loaded", Watched)
    second = names_checkpoint("second")

    assert there == [None]
    assert second.checkpoint != digest
    assert list(registry.loaded().values()) == [second]


def test_a_checkpoint_that_cannot_be_loaded_leaves_room_for_the_one_before(
    names_checkpoint: Callable[[str], Backend],
) -> None:
    digest = names_checkpoint("first").checkpoint
    with pytest.raises(Exception, match="no checkpoint folder"):
        names_checkpoint("gone")
    assert registry.loaded() == {}
    assert names_checkpoint("first").checkpoint == digest

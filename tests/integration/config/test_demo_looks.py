"""The demo's styles: one in words, and one with a LoRA file where the model brings one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from access.caller import Caller
from config.demo.looks import put_looks
from generation.queries import styles as reading
from generation.services import adapters, styles
from programme.queries import ProgrammeView
from tests.factories.looks import lora, unchanged

pytestmark = pytest.mark.django_db


def test_styles_are_seeded_once_and_a_retired_one_does_not_come_back(
    artist: Caller,
    operator: Caller,
    programme: ProgrammeView,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert artist.membership is not None
    (tmp_path / "two-inks.safetensors").write_bytes(lora())
    monkeypatch.setattr(adapters, "BUILTINS", tmp_path)

    put_looks(programme, by=operator.actor)

    words, inks = reading.usable(artist.membership)
    assert (words.name, words.adapter, inks.name, inks.checkpoint) == (
        "Night piece",
        None,
        "Two inks",
        "builtin",
    )
    with unchanged():
        put_looks(programme, by=operator.actor)
    styles.retire_for_programme(programme=programme, style=inks.public_id, by=operator.actor, now=now)
    with unchanged():
        put_looks(programme, by=operator.actor)


def test_the_style_in_words_works_without_any_file(
    artist: Caller,
    operator: Caller,
    programme: ProgrammeView,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert artist.membership is not None
    monkeypatch.setattr(adapters, "BUILTINS", tmp_path / "nothing")

    put_looks(programme, by=operator.actor)

    assert [style.name for style in reading.usable(artist.membership)] == ["Night piece"]

"""The styles that are shipped with the built-in model are plain LoRA files that fit it."""

from __future__ import annotations

from pathlib import Path

import pytest

from generation.backends.adapters import inspect_adapter
from generation.backends.diffusers.checkpoints import BUILTIN

STYLES = BUILTIN.parent / "checkpoint_styles"
FILES = sorted(STYLES.glob("*.safetensors"))


def test_there_is_a_style_and_each_is_described() -> None:
    assert FILES
    card = (STYLES / "README.md").read_text()
    assert all(file.name in card for file in FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_style_fits_the_built_in_model(file: Path) -> None:
    facts = inspect_adapter(file, checkpoint=BUILTIN, most_bytes=2_000_000)
    assert facts.rank <= 8
    assert facts.scale == 1
    assert len(facts.targets) > 30

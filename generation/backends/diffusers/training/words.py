"""The words of the small world, read from `vocabulary.json`, which `pack` copies into the checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

VOCABULARY_FILE: Final = Path(__file__).with_name("vocabulary.json")
_VOCABULARY = json.loads(VOCABULARY_FILE.read_text(encoding="utf-8"))["attributes"]

# What a prompt is about, and the manner of it. The order of the slots in the tokenizer's template, and of every index
# tensor; new values and attributes are appended, so that weights trained without them keep their meaning.
MAIN: Final = ("scene", "subject", "colour", "motion")
MANNER: Final = ("size", "place")
ATTRIBUTES: Final = MAIN + MANNER
VALUES: Final[dict[str, tuple[str, ...]]] = {name: tuple(_VOCABULARY[name]) for name in ATTRIBUTES}
PHRASES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    name: {value: tuple(entry["says"]) for value, entry in _VOCABULARY[name].items()} for name in ATTRIBUTES
}
COLOURS: Final[dict[str, tuple[int, int, int]]] = {
    value: tuple(entry["rgb"]) for value, entry in _VOCABULARY["colour"].items()
}

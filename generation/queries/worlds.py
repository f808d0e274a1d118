"""What the built-in model can draw, as its own vocabulary says: the studio tells it before anybody is disappointed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from generation.backends.diffusers.checkpoints import locate


@dataclass(frozen=True, slots=True)
class World:
    """Names of what it knows, in its own order."""

    subjects: tuple[str, ...]
    scenes: tuple[str, ...]
    colours: tuple[str, ...]
    motions: tuple[str, ...]
    sizes: tuple[str, ...]
    places: tuple[str, ...]


@cache
def builtin() -> World:
    """No statement; read once in a process."""
    text = (locate("builtin") / "vocabulary.json").read_text(encoding="utf-8")
    known = json.loads(text)["attributes"]

    def said(attribute: str) -> tuple[str, ...]:
        return tuple(entry["says"][0] for entry in known[attribute].values())

    return World(*map(said, ("subject", "scene", "colour", "motion", "size", "place")))

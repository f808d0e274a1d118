"""Prompts for the scorer: held-out combinations, said in words and orders that no training caption has."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Final

from generation.backends.diffusers.prompts import SmallWorld
from generation.backends.diffusers.training import world
from generation.backends.diffusers.training.words import ATTRIBUTES, MAIN, MANNER, VOCABULARY_FILE
from generation.backends.diffusers.training.world import Facts

_MANNER_SHARE: Final = 0.6  # how often each of size, place and pace is named
_ORDERS: Final = (
    "{scene}: {motion} {pace}, {place}, {size} {subject}, {colour}",
    "please show {colour} {subject}, {size}, {scene}, {motion} {pace}, {place}",
    "{pace} {motion}, {scene}, {place}: {colour} {subject} and it is {size}",
    "{size} {subject} that is {colour}; {scene}; {place}; {motion}; {pace}",
    "there is {colour} {subject}, {motion}, {size}, {pace}, {place}, {scene}",
    "{place} of a film, {scene}, {size} {colour} {subject} then {pace} {motion}",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What should be seen, the names of the attributes that the prompt names, the prompt, and as it is rendered."""

    facts: Facts
    named: tuple[str, ...]
    prompt: str
    completed: str
    seed: int


def held_out(count: int, seed: int, *, leave: bool = False) -> list[Asked]:
    """Each held-out combination once before any comes again; with `leave`, one to three of the main four left open."""
    small_world = SmallWorld(VOCABULARY_FILE)
    words = json.loads(VOCABULARY_FILE.read_text(encoding="utf-8"))["attributes"]
    rng = random.Random(f"{seed}:asked")
    every = world.every_held_out()
    rng.shuffle(every)
    asked = []
    for number in range(count):
        facts = world.in_any_manner(every[number % len(every)], rng)
        left = set(rng.sample(MAIN, rng.randint(1, 3))) if leave else set[str]()
        left |= {name for name in MANNER if rng.random() > _MANNER_SHARE}
        said = {
            name: "" if name in left else rng.choice(_wordings(words[name][getattr(facts, name)]))
            for name in ATTRIBUTES
        }
        prompt = rng.choice(_ORDERS).format(**said)
        one_seed = seed * 1_000_003 + number
        named = tuple(name for name in ATTRIBUTES if name not in left)
        asked.append(Asked(facts, named, prompt, small_world.complete(prompt, one_seed).prompt, one_seed))
    return asked


def _wordings(entry: dict[str, list[str]]) -> list[str]:
    """The words that are read but were never in a caption, where there are any."""
    return entry["means"] or entry["says"]

"""Prompts for the scorer: held-out combinations, said in words and orders that no training caption has."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Final

from generation.backends.diffusers.prompts import SmallWorld
from generation.backends.diffusers.training import world
from generation.backends.diffusers.training.words import ATTRIBUTES, MAIN, MANNER, PHRASES, VOCABULARY_FILE
from generation.backends.diffusers.training.world import Facts

_MANNER_SHARE: Final = 0.6  # how often each of size and place is named
_ORDERS: Final = (
    "{scene}: {motion}, {place}, {size} {subject}, {colour}",
    "please show {colour} {subject}, {size}, {scene}, {motion}, {place}",
    "{motion}, {scene}, {place}: {colour} {subject} and it is {size}",
    "{size} {subject} that is {colour}; {scene}; {place}; {motion}",
    "there is {colour} {subject}, {motion}, {size}, {place}, {scene}",
    "{place} of a film, {scene}, {size} {colour} {subject} then {motion}",
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


def in_full(count: int, seed: int) -> list[Asked]:
    """Held-out combinations in the product's own words, with everything named: nothing is left to the seed."""
    small_world = SmallWorld(VOCABULARY_FILE)
    rng = random.Random(f"{seed}:in full")
    every = [world.in_any_manner(facts, rng) for facts in rng.sample(world.every_held_out(), count)]
    return [
        _asked(facts, ATTRIBUTES, seed * 1_000_003 + number, small_world)
        for number, facts in enumerate(every)
    ]


def with_many_seeds(prompts: int, seeds: int, seed: int) -> list[Asked]:
    """Held-out combinations of the main four, each with so many seeds, which choose the manner."""
    small_world = SmallWorld(VOCABULARY_FILE)
    chosen = random.Random(f"{seed}:seeds").sample(world.every_held_out(), prompts)
    return [
        _asked(facts, MAIN, seed * 1_000_003 + number, small_world)
        for facts in chosen
        for number in range(seeds)
    ]


def _asked(facts: Facts, named: tuple[str, ...], seed: int, small_world: SmallWorld) -> Asked:
    prompt = " , ".join(PHRASES[name][getattr(facts, name)][0] for name in named)
    return Asked(facts, named, prompt, small_world.complete(prompt, seed).prompt, seed)


def _wordings(entry: dict[str, list[str]]) -> list[str]:
    """The words that are read but were never in a caption, where there are any."""
    return entry["means"] or entry["says"]

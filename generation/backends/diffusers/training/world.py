"""What can happen in the small world: one subject of one colour moves one way in one scene; and how people say it."""

from __future__ import annotations

import random
import zlib
from collections.abc import Collection
from dataclasses import astuple, dataclass, replace
from itertools import product

from generation.backends.diffusers.training.words import ATTRIBUTES, MAIN, MANNER, PHRASES, VALUES

_UNNAMED = ("thing", "shape", "something", "figure")
_ARTICLES = ("a ", "the ", "one ", "a ", "")
_OPENINGS = ("a poster of ", "a video of ", "flat illustration , ", "a calm picture of ")
_ENDINGS = (" , poster style", " , calm", " , minimal", " , soft light")
_HELD_OUT_SHARE = 1 / 32


@dataclass(frozen=True, slots=True)
class Facts:
    """The attributes that a prompt decides; the last two have the plainest value where nothing else is said."""

    scene: str
    subject: str
    colour: str
    motion: str
    size: str = "medium"
    place: str = "centre"

    def index(self) -> list[int]:
        """The position of each value among its attribute's values, in the order of ATTRIBUTES."""
        return [VALUES[name].index(getattr(self, name)) for name in ATTRIBUTES]


def facts_of(index: Collection[int]) -> Facts:
    """The facts whose `index` this is."""
    return Facts(*(VALUES[name][k] for name, k in zip(ATTRIBUTES, index, strict=True)))


def held_out(facts: Facts) -> bool:
    """Whether this combination of the main four is kept from training (one in 32, the same ones in every run)."""
    return zlib.crc32("/".join(astuple(facts)[: len(MAIN)]).encode()) < _HELD_OUT_SHARE * 2**32


def every_held_out() -> list[Facts]:
    """All combinations of the main four that no training clip or caption shows, in their plainest manner."""
    every = (Facts(*values) for values in product(*(VALUES[name] for name in MAIN)))
    return [facts for facts in every if held_out(facts)]


def in_any_manner(facts: Facts, rng: random.Random) -> Facts:
    """The same with size and place drawn."""
    return replace(facts, **{name: rng.choice(VALUES[name]) for name in MANNER})


def sample(rng: random.Random) -> Facts:
    """Any combination that is not held out, all equally likely."""
    while True:
        facts = Facts(*(rng.choice(VALUES[name]) for name in ATTRIBUTES))
        if not held_out(facts):
            return facts


def left_open(rng: random.Random, share: float) -> set[str]:
    """Nothing, or with probability `share` one to three attributes; the subject a third as often as the others."""
    if rng.random() >= share:
        return set()
    chosen = set(rng.sample(ATTRIBUTES, rng.randint(1, 3)))
    return chosen - {"subject"} if rng.random() < 2 / 3 else chosen


def caption(
    facts: Facts, rng: random.Random, *, leave: Collection[str] = ()
) -> tuple[str, dict[str, str | None]]:
    """One way to say it without the attributes in `leave`, and what it names (None where it is left open)."""
    named = {name: None if name in leave else getattr(facts, name) for name in ATTRIBUTES}
    said = {name: rng.choice(PHRASES[name][value]) if value else "" for name, value in named.items()}
    text = _arrange(_noun_phrase(said, rng), said["motion"], said["place"], said["scene"], rng)
    if rng.random() < 0.2:
        text = rng.choice(_OPENINGS) + text
    if rng.random() < 0.1:
        text += rng.choice(_ENDINGS)
    return " ".join(text.split()).strip(" ,"), named


def _noun_phrase(said: dict[str, str], rng: random.Random) -> str:
    noun = said["subject"] or rng.choice(_UNNAMED)
    looks = [said["size"], said["colour"]]
    if rng.random() < 0.15:
        looks.reverse()
    phrase = rng.choice(_ARTICLES) + " ".join([*filter(None, looks), noun])
    return "an " + phrase[2:] if phrase.startswith(("a a", "a e", "a i", "a o", "a u")) else phrase


def _arrange(who: str, way: str, place: str, scene: str, rng: random.Random) -> str:
    orders = (
        f"{who} {way} , {place} , {scene}",
        f"{who} {place} {way} {scene}",
        f"{who} {way} {scene} , {place}",
        f"{scene} , {who} {way} {place}",
        f"{who} , {way} , {scene} {place}",
        f"{place} , {who} {way} {scene}",
    )
    text = rng.choices(orders, weights=(40, 15, 15, 15, 10, 5))[0]
    return text if place else text.replace(" ,  ,", " ,").replace(" ,  ", " , ")

"""What can happen in the small world: one subject of one colour moves one way in one scene; and how people say it."""

from __future__ import annotations

import random
import zlib
from dataclasses import astuple, dataclass
from itertools import product

from generation.backends.diffusers.training.words import ATTRIBUTES, PHRASES, VALUES

_UNNAMED = ("thing", "shape", "something", "figure")
_ARTICLES = ("a ", "the ", "one ", "a small ", "a ", "")
_OPENINGS = ("a poster of ", "a video of ", "flat illustration , ", "a calm picture of ")
_ENDINGS = (" , poster style", " , slowly", " , calm", " , minimal", " , soft light")
_HELD_OUT_SHARE = 1 / 32


@dataclass(frozen=True, slots=True)
class Facts:
    """The four attributes that a prompt decides."""

    scene: str
    subject: str
    colour: str
    motion: str

    def index(self) -> list[int]:
        """The position of each value among its attribute's values, in the order of ATTRIBUTES."""
        return [VALUES[name].index(getattr(self, name)) for name in ATTRIBUTES]


def held_out(facts: Facts) -> bool:
    """Whether this combination is kept from training (one in 32, the same ones in every run)."""
    return zlib.crc32("/".join(astuple(facts)).encode()) < _HELD_OUT_SHARE * 2**32


def every_held_out() -> list[Facts]:
    """All combinations that no training clip or caption shows."""
    every = (Facts(*values) for values in product(*(VALUES[name] for name in ATTRIBUTES)))
    return [facts for facts in every if held_out(facts)]


def sample(rng: random.Random) -> Facts:
    """Any combination that is not held out, all equally likely."""
    while True:
        facts = Facts(*(rng.choice(VALUES[name]) for name in ATTRIBUTES))
        if not held_out(facts):
            return facts


def caption(facts: Facts, rng: random.Random, *, omit: float) -> tuple[str, dict[str, str | None]]:
    """One way to say it, and what it names: each attribute is left open (None) with probability `omit`.

    The subject is left open a third as often: a picture of nothing in particular is rarely asked for.
    """
    named: dict[str, str | None] = {}
    for name in ATTRIBUTES:
        chance = omit / 3 if name == "subject" else omit
        named[name] = None if rng.random() < chance else getattr(facts, name)
    said = {name: rng.choice(PHRASES[name][value]) if value else "" for name, value in named.items()}
    text = _arrange(_noun_phrase(said, rng), said["motion"], said["scene"], rng)
    if rng.random() < 0.2:
        text = rng.choice(_OPENINGS) + text
    if rng.random() < 0.15:
        text += rng.choice(_ENDINGS)
    return " ".join(text.split()).strip(" ,"), named


def _noun_phrase(said: dict[str, str], rng: random.Random) -> str:
    noun = said["subject"] or rng.choice(_UNNAMED)
    phrase = rng.choice(_ARTICLES) + f"{said['colour']} {noun}".strip()
    return "an " + phrase[2:] if phrase.startswith(("a a", "a e", "a i", "a o", "a u")) else phrase


def _arrange(who: str, motion: str, scene: str, rng: random.Random) -> str:
    orders = (
        f"{who} {motion} {scene}",
        f"{who} {scene} {motion}",
        f"{scene} , {who} {motion}",
        f"{who} , {motion} , {scene}",
    )
    return rng.choices(orders, weights=(50, 15, 20, 15))[0]

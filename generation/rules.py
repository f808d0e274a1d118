"""What may be asked for. Each `check_…` raises with a sentence; its twin asks it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from core.errors import Invalid
from generation.models import ModelVariant
from generation.states import Relation

LONGEST_PROMPT = 2000
MOST_TAKES = 16
_SIZE = re.compile(r"[1-9][0-9]{1,3}x[1-9][0-9]{1,3}")
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Order:
    """Renders as somebody asks for them. What is None is the variant's to choose, or the dice's (the seed).

    `takes` renders differ in their seed alone. `style`, `reference` (a picture to start from), `character` and
    `source` (a clip that it comes from, with the `relation`) are public ids; a style or a character also its name.
    """

    prompt: str
    variant: str | None = None
    seconds: int | None = None
    size: str | None = None
    seed: int | None = None
    takes: int = 1
    style: str | None = None
    negative_prompt: str | None = None
    reference: str | None = None
    character: str | None = None
    source: str | None = None
    relation: Relation | None = None


def seeds(first: int, takes: int) -> list[int]:
    """One seed for each take: `first` and those that follow it, modulo 2**32. The same order gives the same takes."""
    return [(first + number) % (LARGEST_SEED + 1) for number in range(takes)]


def bad_character(text: str) -> bool:
    """Control characters and halves of surrogate pairs; line breaks and tabs are text."""
    return any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\r\t" for c in text)


def prompt_fault(prompt: str) -> str | None:
    if not any(unicodedata.category(character)[0] not in "ZC" for character in prompt):
        return "Write what we should see."
    if len(prompt) > LONGEST_PROMPT:
        return f"A prompt has at most {LONGEST_PROMPT:,} characters; this one has {len(prompt):,}."
    if bad_character(prompt):
        return "The prompt has control characters in it. Paste it as plain text."
    return None


def order_faults(order: Order, variant: ModelVariant | None) -> dict[str, str]:
    """What is wrong with each field, as a sentence; without a variant, what no variant could render."""
    faults: dict[str, str] = {}
    if fault := prompt_fault(order.prompt):
        faults["prompt"] = fault
    faults |= _shape_faults(order, variant) if variant else _shape_faults_anywhere(order)
    if order.seed is not None and not 0 <= order.seed <= LARGEST_SEED:
        faults["seed"] = f"A seed is a whole number from 0 to {LARGEST_SEED}."
    if not 1 <= order.takes <= MOST_TAKES:
        faults["takes"] = f"One request has 1 to {MOST_TAKES} takes, not {order.takes}."
    if (order.source is None) != (order.relation is None):
        faults["source"] = "Name both: the clip that this one comes from, and how it comes from it."
    return faults


def _shape_faults(order: Order, variant: ModelVariant) -> dict[str, str]:
    faults = {}
    if order.seconds is not None and order.seconds not in variant.lengths:
        lengths = ", ".join(str(n) for n in sorted(variant.lengths))
        faults["seconds"] = f"{variant.name} makes clips of {lengths} seconds, not {order.seconds}."
    if order.size is not None and order.size not in variant.sizes:
        faults["size"] = f"{variant.name} makes {', '.join(variant.sizes)}, not {order.size[:40]}."
    return faults


def _shape_faults_anywhere(order: Order) -> dict[str, str]:
    faults = {}
    if order.seconds is not None and order.seconds < 1:
        faults["seconds"] = f"A clip lasts at least one second, not {order.seconds}."
    if order.size is not None and not _SIZE.fullmatch(order.size):
        faults["size"] = f"A size is WIDTHxHEIGHT, such as 1280x720, not {order.size[:40]}."
    return faults


def check_order(order: Order, variant: ModelVariant) -> None:
    """Raise Invalid naming every field that `variant` cannot render, and what it can."""
    if faults := order_faults(order, variant):
        raise Invalid("invalid_request", " ".join(faults.values()), fields=faults)


def can_order(order: Order, variant: ModelVariant) -> bool:
    try:
        check_order(order, variant)
    except Invalid:
        return False
    return True

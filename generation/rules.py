"""What may be asked for. Each `check_…` raises with a sentence; its twin asks it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from core.errors import Invalid
from generation.models import ModelVariant

LONGEST_PROMPT = 2000
_SIZE = re.compile(r"[1-9][0-9]{1,3}x[1-9][0-9]{1,3}")
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Order:
    """A render as somebody asks for it. What is None is the variant's to choose, or the dice's (the seed)."""

    prompt: str
    variant: str | None = None
    seconds: int | None = None
    size: str | None = None
    seed: int | None = None


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
    if variant and order.seconds is not None and order.seconds not in variant.lengths:
        lengths = ", ".join(str(n) for n in sorted(variant.lengths))
        faults["seconds"] = f"{variant.name} makes clips of {lengths} seconds, not {order.seconds}."
    if variant and order.size is not None and order.size not in variant.sizes:
        faults["size"] = f"{variant.name} makes {', '.join(variant.sizes)}, not {order.size[:40]}."
    if variant is None and order.seconds is not None and order.seconds < 1:
        faults["seconds"] = f"A clip lasts at least one second, not {order.seconds}."
    if variant is None and order.size is not None and not _SIZE.fullmatch(order.size):
        faults["size"] = f"A size is WIDTHxHEIGHT, such as 1280x720, not {order.size[:40]}."
    if order.seed is not None and not 0 <= order.seed <= LARGEST_SEED:
        faults["seed"] = f"A seed is a whole number from 0 to {LARGEST_SEED}."
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

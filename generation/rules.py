"""What may be asked for. Each `check_…` raises with a sentence; its twin asks it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from core.errors import Invalid
from generation.models import ModelVariant
from generation.states import Relation

LONGEST_PROMPT = 2000
MOST_TAKES = 16
SETTINGS = "privateview.settings/1"
"""What `queries.settings` writes and `order_from_settings` reads."""
_SIZE = re.compile(r"[1-9][0-9]{1,3}x[1-9][0-9]{1,3}")
LARGEST_SEED = 2**32 - 1
RATES = (24, 30)
"""Frames a second of which a variant may offer one or both."""


@dataclass(frozen=True, slots=True)
class Order:
    """Renders as somebody asks for them. What is None is the variant's to choose, or the dice's (the seed).

    `takes` renders differ in their seed alone. `style`, `reference` (a picture to start from), `character` and
    `source` (a clip that it comes from, with the `relation`) are public ids; a style or a character also its name.
    `steps` and `guidance` are not chosen, the variant and the style decide them: another house that orders here says
    what it takes them to be, and is refused where it is wrong.
    """

    prompt: str
    variant: str | None = None
    seconds: int | None = None
    size: str | None = None
    fps: int | None = None
    seed: int | None = None
    takes: int = 1
    style: str | None = None
    negative_prompt: str | None = None
    reference: str | None = None
    character: str | None = None
    source: str | None = None
    relation: Relation | None = None
    steps: int | None = None
    guidance: float | None = None


def seeds(first: int, takes: int) -> list[int]:
    """One seed for each take: `first` and those that follow it, modulo 2**32. The same order gives the same takes."""
    return [(first + number) % (LARGEST_SEED + 1) for number in range(takes)]


def own_part(negative_prompt: str, style_negative: str) -> str:
    """What an order itself wanted left out, without what its style put before it (`look_rules.joined`).

    The whole where the style has been changed since.
    """
    before = style_negative.strip().rstrip(",")
    if not before or not negative_prompt.startswith(before):
        return negative_prompt
    rest = negative_prompt[len(before) :]
    return rest.removeprefix(", ") if not rest or rest.startswith(", ") else negative_prompt


def bad_character(text: str) -> bool:
    """Control characters and halves of surrogate pairs; line breaks and tabs are text."""
    return any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\r\t" for c in text)


def told_checkpoint(backend: str, checkpoint: str) -> str:
    """What others may read of where a model comes from: of a folder the last part, of a server the model alone, for
    addresses are nobody else's business."""
    if backend == "remote":
        return urlsplit(checkpoint).fragment or "remote"
    return PurePath(checkpoint).name if checkpoint.startswith(("/", ".", "~")) else checkpoint


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
        faults["seconds"] = _length_fault(order.seconds, variant)
    if order.size is not None and order.size not in variant.sizes:
        sizes = ", ".join(sorted(variant.sizes, key=by_area))
        faults["size"] = f"{variant.name} makes {sizes}, not {_quoted(order.size)}."
    if order.fps is not None and order.fps not in variant.rates:
        rates = " or ".join(str(rate) for rate in sorted(variant.rates))
        faults["fps"] = f"{variant.name} makes {rates} frames a second, not {order.fps}."
    if order.steps is not None and order.steps != variant.steps:
        faults["steps"] = f"{variant.name} takes {variant.steps} steps, not {order.steps}: the model decides."
    return faults


def _quoted(size: str) -> str:
    return size[:40].strip() or "an empty one"


def _length_fault(seconds: int, variant: ModelVariant) -> str:
    """What is nearest comes first, for that is what most will take."""
    lengths = sorted(variant.lengths)
    below = [length for length in lengths if length < seconds][-1:]
    above = [length for length in lengths if length > seconds][:1]
    near = " and ".join(f"{length}" for length in below + above)
    nearest = f"The nearest {'are' if below and above else 'is'} {near} seconds"
    made = ", ".join(str(length) for length in lengths)
    return f"{nearest}: {variant.name} makes clips of {made} seconds, not {seconds}."


def by_area(size: str) -> tuple[int, int]:
    """Sorts sizes, the small ones first; of two with the same area the wider one."""
    width, _, height = size.partition("x")
    return int(width) * int(height), -int(width)


def _shape_faults_anywhere(order: Order) -> dict[str, str]:
    faults = {}
    if order.seconds is not None and order.seconds < 1:
        faults["seconds"] = f"A clip lasts at least one second, not {order.seconds}."
    if order.fps is not None and order.fps not in RATES:
        faults["fps"] = f"A clip has 24 or 30 frames a second, not {order.fps}."
    if order.size is not None and not _SIZE.fullmatch(order.size):
        faults["size"] = f"A size is WIDTHxHEIGHT, such as 1280x720, not {_quoted(order.size)}."
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


def order_from_settings(settings: Any) -> Order:
    """The order for one more clip from settings as they were exported (`queries.settings`).

    It has no source: whoever brings the settings need not own the clip. Where that completed the prompt, the completed
    one is asked for. What only tells how the clip came out is not read. Raises Invalid (invalid_settings) naming each
    field that cannot be used.
    """
    if not isinstance(settings, dict) or settings.get("schema") != SETTINGS:
        sentence = f"This is not the settings of a clip as we export them: “schema” must be “{SETTINGS}”."
        raise Invalid("invalid_settings", sentence, fields={"schema": sentence})
    faults: dict[str, str] = {}
    style = _part(settings, "style", faults)
    order = Order(
        prompt=(_text(settings, "earlier_prompt", faults) and _text(settings, "completed_prompt", faults))
        or _text(settings, "prompt", faults)
        or "",
        variant=_text(settings, "model", faults),
        seconds=_whole(settings, "seconds", faults),
        size=_text(settings, "size", faults),
        fps=_whole(settings, "fps", faults),
        seed=_whole(settings, "seed", faults),
        style=_text(style, "id", faults, "style"),
        negative_prompt=own_part(
            _text(settings, "negative_prompt", faults) or "",
            _text(style, "negative_prompt", faults, "style") or "",
        ),
        reference=_text(_part(settings, "reference", faults), "id", faults, "reference"),
    )
    if faults:
        raise Invalid("invalid_settings", " ".join(faults.values()), fields=faults)
    return order


def _part(settings: Mapping[str, Any], name: str, faults: dict[str, str]) -> Mapping[str, Any]:
    found = settings.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        faults[name] = f"“{name}” is an object, or null."
        return {}
    return found


def _text(settings: Mapping[str, Any], name: str, faults: dict[str, str], part: str = "") -> str | None:
    found = settings.get(name)
    if found is None or isinstance(found, str):
        return found
    faults[part or name] = f"“{f'{part}.{name}' if part else name}” is text, or null."
    return None


def _whole(settings: Mapping[str, Any], name: str, faults: dict[str, str]) -> int | None:
    found = settings.get(name)
    if found is None or (isinstance(found, int) and not isinstance(found, bool)):
        return found
    faults[name] = f"“{name}” is a whole number, or null."
    return None

"""What a style, an adapter, a picture or a character may be. Each `check_…` raises with a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from core import names
from core.errors import Invalid
from generation.rules import LONGEST_PROMPT, bad_character

PLACE: Final = "{prompt}"
LONGEST_NAME: Final = 60
LONGEST_DESCRIPTION: Final = 200
LONGEST_TEMPLATE: Final = 500
LONGEST_NEGATIVE: Final = 1000
MOST_GUIDANCE: Final = 30
MOST_WEIGHT: Final = 2

MOST_STYLES: Final = 100
MOST_ADAPTERS: Final = 5
MOST_REFERENCES: Final = 500
MOST_CHARACTERS: Final = 100
MOST_PICTURES: Final = 12
"""Of one member, live; the last of one character."""

MOST_FRAME_TRIES: Final = 3
"""To take one frame out of its clip."""

MEMBERS_ADAPTER_BYTES: Final = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class StyleSpec:
    """A style as somebody writes it down. `guidance` None leaves the variant's; `adapter` is a public id.

    `cohorts` (public ids) may use it; none: everybody in the programme. A member's own style has none.
    """

    name: str
    description: str = ""
    template: str = PLACE
    negative_prompt: str = ""
    guidance: float | None = None
    adapter: str | None = None
    adapter_weight: float = 1.0
    cohorts: tuple[str, ...] = ()
    position: int = 0


def check_style(spec: StyleSpec) -> StyleSpec:
    """`spec` without the space around its texts. Raises Invalid naming every field that cannot be used."""
    tidy = replace(
        spec,
        name=_tidy_name(spec.name),
        description=spec.description.strip(),
        template=spec.template.strip() or PLACE,
        negative_prompt=spec.negative_prompt.strip(),
    )
    found = {
        "name": _name_fault(tidy.name),
        "description": text_fault(tidy.description, "A description", LONGEST_DESCRIPTION),
        "template": _template_fault(tidy.template),
        "negative_prompt": text_fault(tidy.negative_prompt, "A negative prompt", LONGEST_NEGATIVE),
        "guidance": _range_fault("Guidance", tidy.guidance, 0, MOST_GUIDANCE),
        "adapter_weight": _range_fault("The weight", tidy.adapter_weight, -MOST_WEIGHT, MOST_WEIGHT),
        "position": None if 0 <= spec.position <= 32767 else "The position is a whole number from 0.",
    }
    refuse("invalid_style", found)
    return tidy


def check_name(text: str) -> str:
    """A name as it will be shown: NFC, single spaces. Raises Invalid when it is empty, long or unprintable."""
    name = _tidy_name(text)
    refuse("invalid_name", {"name": _name_fault(name)})
    return name


def check_pictures(pictures: Sequence[str]) -> None:
    """Raise Invalid unless there are 1 to 12 pictures, each named once."""
    fault = None
    if not 1 <= len(pictures) <= MOST_PICTURES:
        fault = f"A character has 1 to {MOST_PICTURES} pictures, not {len(pictures)}."
    elif len(set(pictures)) < len(pictures):
        fault = "A picture is named twice. Each stands in a character once."
    refuse("invalid_pictures", {"pictures": fault})


def check_negative_prompt(text: str) -> None:
    refuse(
        "invalid_negative_prompt",
        {"negative_prompt": text_fault(text, "A negative prompt", LONGEST_NEGATIVE)},
    )


def styled(template: str, prompt: str, *, style: str) -> str:
    """`prompt` in its place in the template; other braces are text, in both.

    Raises Invalid (prompt_too_long) when the whole is longer than a prompt may be. `style` is what it is called.
    """
    whole = template.replace(PLACE, prompt)
    if len(whole) > LONGEST_PROMPT:
        sentence = (
            f"In the style “{style}” this prompt has {len(whole):,} characters; "
            f"{LONGEST_PROMPT:,} is the most. Shorten it by {len(whole) - LONGEST_PROMPT:,}."
        )
        raise Invalid("prompt_too_long", sentence, fields={"prompt": sentence})
    return whole


def joined(*texts: str) -> str:
    """Negative prompts of the style and of the order as one."""
    return ", ".join(text.strip().rstrip(",") for text in texts if text.strip())


def text_fault(text: str, what: str, most: int, *, least: int = 0) -> str | None:
    if not least <= len(text) <= most:
        return (
            f"{what} has {least} to {most:,} characters."
            if least
            else f"{what} has at most {most:,} characters."
        )
    if bad_character(text):
        return f"{what} has no control characters. Paste it as plain text."
    return None


def refuse(code: str, faults: dict[str, str | None]) -> None:
    """Raise Invalid with the fields that have a fault, if any has."""
    fields = {field: fault for field, fault in faults.items() if fault}
    if fields:
        raise Invalid(code, " ".join(fields.values()), fields=fields)


def _tidy_name(text: str) -> str:
    return text.strip() if names.unseen(text.strip()) else names.tidy(text)


def _name_fault(name: str) -> str | None:
    if names.unseen(name):
        return "A name has no line breaks and no invisible characters. Type it anew."
    if name and names.blank(name):
        return "A name can be seen. Write it with letters."
    return text_fault(name, "A name", LONGEST_NAME, least=1)


def _template_fault(template: str) -> str | None:
    if template.count(PLACE) != 1:
        return f"Write {PLACE} once in the template, where the artist's words go."
    return text_fault(template, "A template", LONGEST_TEMPLATE)


def _range_fault(what: str, number: float | None, least: float, most: float) -> str | None:
    if number is None or (math.isfinite(number) and least <= number <= most):
        return None
    return f"{what} is a number from {least:g} to {most:g}."

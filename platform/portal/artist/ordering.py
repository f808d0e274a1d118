"""The studio's form: as it is typed, as an order, and as it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, QueryDict

from access.caller import Caller
from core.errors import Invalid
from generation import queries as generation
from generation.queries import HitRate, VariantView
from generation.queries.characters import own_characters
from generation.queries.references import ReferenceView, own_reference, own_references
from generation.queries.styles import StyleView, usable
from generation.rules import MOST_TAKES, Order, by_area
from generation.services import references
from generation.states import Relation
from programme.queries import MembershipView

LARGEST_PICTURE = 20 * 1024**2
PICTURES = 12
"""So many of the latest pictures are offered to start from; the rest is on the characters' page."""
USUAL_TAKES = 4
CHARACTER, REFERENCE = "character:", "reference:"


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was typed: it comes back as it was when something in it cannot be used.

    `start` is empty, `reference:` or `character:` with an id. `source` is the clip that this one is a remix of.
    """

    prompt: str = ""
    takes: str = ""
    variant: str = ""
    style: str = ""
    seconds: str = ""
    size: str = ""
    fps: str = ""
    seed: str = ""
    negative_prompt: str = ""
    start: str = ""
    source: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def opened(self) -> bool:
        """Whether something under “Settings” is not as it is by itself, so that it should be seen."""
        return bool(self.seed or self.negative_prompt or self.start or self.source)


NAMES = tuple(each.name for each in fields(Typed) if each.name != "errors")


def typed(values: QueryDict) -> Typed:
    given: dict[str, Any] = {name: values.get(name, "")[:4000] for name in NAMES}
    return Typed(**given)


def as_remix(video: str, order: Order) -> Typed:
    """A clip's own order, to be changed and asked for."""
    return Typed(
        prompt=order.prompt,
        takes="1",
        variant=order.variant or "",
        style=order.style or "",
        seconds="" if order.seconds is None else str(order.seconds),
        size=order.size or "",
        fps="" if order.fps is None else str(order.fps),
        seed="" if order.seed is None else str(order.seed),
        negative_prompt=order.negative_prompt or "",
        start=REFERENCE + order.reference if order.reference else "",
        source=video,
    )


def order_of(form: Typed) -> Order:
    """Raises Invalid naming each field that is no number."""
    numbers: dict[str, int | None] = {}
    faults: dict[str, str] = {}
    for name in ("takes", "seconds", "fps", "seed"):
        try:
            numbers[name] = number(name, getattr(form, name))
        except Invalid as refusal:
            faults.update(refusal.fields)
    if faults:
        raise Invalid("invalid_request", " ".join(faults.values()), fields=faults)
    takes = numbers["takes"]
    return Order(
        prompt=form.prompt,
        variant=form.variant or None,
        seconds=numbers["seconds"],
        size=form.size or None,
        fps=numbers["fps"],
        seed=numbers["seed"],
        takes=1 if takes is None else takes,
        style=form.style or None,
        negative_prompt=form.negative_prompt.strip() or None,
        reference=form.start.removeprefix(REFERENCE) if form.start.startswith(REFERENCE) else None,
        character=form.start.removeprefix(CHARACTER) if form.start.startswith(CHARACTER) else None,
        source=form.source or None,
        relation=Relation.REMIX if form.source else None,
    )


def number(name: str, text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        sentence = f"“{text[:20]}” is not a whole number."
        raise Invalid("invalid_request", sentence, fields={name: sentence})
    return int(text)


def with_upload(request: HttpRequest, caller: Caller, form: Typed, now: datetime) -> Typed:
    """The form with the picture that came with it, kept; it is there still when the rest is refused.

    Raises Invalid with the field `picture`, WrongState or NotAllowed.
    """
    file = request.FILES.get("picture")
    if file is None or not file.size:
        return form
    if file.size > LARGEST_PICTURE:
        sentence = (
            f"That file has {file.size // 1024**2} MB. A start picture is PNG, JPEG or WebP up to 20 MB."
        )
        raise Invalid("picture_too_large", sentence, fields={"picture": sentence})
    kept = references.upload(caller=caller, picture=file.read(), now=now)
    return replace(form, start=REFERENCE + kept)


@dataclass(frozen=True, slots=True)
class StyleChoice:
    """A style as the form offers it. `fits` names the variants that can render it, none where all can."""

    style: StyleView
    fits: tuple[VariantView, ...]
    everywhere: bool
    kept: HitRate | None

    @property
    def slugs(self) -> str:
        return " ".join(variant.slug for variant in self.fits)


def style_choices(
    styles: Iterable[StyleView], variants: list[VariantView], rates: Iterable[HitRate]
) -> list[StyleChoice]:
    """Those that some variant can render; a style without one would be a promise that nobody keeps."""
    known = {rate.key: rate for rate in rates}
    choices = []
    for style in styles:
        fits = tuple(
            variant
            for variant in variants
            if style.fits(checkpoint=variant.checkpoint, adapters=variant.adapters)
        )
        if fits:
            choices.append(StyleChoice(style, fits, len(fits) == len(variants), known.get(style.public_id)))
    return choices


def form_context(member: MembershipView, form: Typed, variants: list[VariantView]) -> dict[str, Any]:
    """What the form's fields are made of. Six statements."""
    rates = generation.hit_rates(member.id)
    chosen = _chosen(form, variants)
    starts = any(variant.images for variant in variants)
    return {
        "typed": form,
        "variants": [(variant, _rate(rates.variants, variant.slug)) for variant in variants],
        "chosen": chosen,
        "lengths": sorted({n for variant in variants for n in variant.lengths}),
        "sizes": sizes_of(variants),
        "seconds": form.seconds or (str(chosen.lengths[0]) if chosen else ""),
        "size": form.size or (chosen.sizes[0] if chosen else ""),
        "rates": sorted({rate for variant in variants for rate in variant.rates}),
        "fps": form.fps or (str(chosen.rates[0]) if chosen else ""),
        "takes": form.takes or str(USUAL_TAKES),
        "most_takes": range(1, MOST_TAKES + 1),
        "styles": style_choices(usable(member), variants, rates.styles),
        "starts": starts,
        "characters": own_characters(member.id) if starts else [],
        "pictures": _pictures(member.id, form) if starts else [],
        "cost": _cost(form, chosen),
        "builtin": [variant.name for variant in variants if variant.checkpoint.startswith("builtin")],
    }


def _pictures(membership_id: int, form: Typed) -> list[ReferenceView]:
    """The latest, and the one that is chosen, however old. One statement, two for such a one."""
    latest = own_references(membership_id, limit=PICTURES) or []
    chosen = form.start.removeprefix(REFERENCE)
    if not form.start.startswith(REFERENCE) or any(one.public_id == chosen for one in latest):
        return latest
    older = own_reference(chosen, membership_id)
    return [older, *latest] if older else latest


def _chosen(form: Typed, variants: list[VariantView]) -> VariantView | None:
    """The one that was named; else the first, or with a picture to start from the first that can."""
    named = [variant for variant in variants if variant.slug == form.variant]
    able = [variant for variant in variants if variant.images] if form.start else []
    return next(iter([*named, *able, *variants]), None)


def _rate(rates: Iterable[HitRate], key: str) -> HitRate | None:
    return next((rate for rate in rates if rate.key == key), None)


def _cost(form: Typed, variant: VariantView | None) -> Mapping[str, int]:
    """What the form as it stands would use of the day."""
    if variant is None:
        return {}
    each = int(form.seconds) if form.seconds.isdecimal() else variant.lengths[0]
    takes = int(form.takes) if form.takes.isdecimal() else USUAL_TAKES
    return {"takes": takes, "seconds": each * takes * variant.cost_per_second}


def sizes_of(variants: Iterable[VariantView]) -> list[tuple[str, str]]:
    """Each size that some variant makes, the small ones first, as it is sent and as it is read."""
    found = {size for variant in variants for size in variant.sizes}
    return [(size, size.replace("x", " × ")) for size in sorted(found, key=by_area)]

"""From an order to rows: who may have it, on which variant, in which look, from which picture, for how much."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from access import gate
from access.caller import Caller
from audit import log
from core import ids
from core.errors import Invalid, NotAllowed
from generation.models import ModelVariant, Stage, Video
from generation.queries.variants import variants_open_to
from generation.rules import LARGEST_SEED, Order, check_order, order_faults, seeds
from generation.services import looks, references
from generation.services.looks import Look
from generation.services.queueing import note_expectation, wake_after_commit
from generation.states import Relation
from programme.queries import MembershipView
from programme.services import quotas


@dataclass(frozen=True, slots=True)
class Basis:
    """The clip that an order comes from. With `same_look` word for word in its look, whatever became of the style.

    A clip that is rendered `again` keeps its steps, guidance and rate as well.
    """

    source: Video
    relation: Relation
    same_look: bool = False

    @property
    def earlier_prompt(self) -> str:
        """What completes a prompt that leaves something open: what the source was told, or what completed that."""
        if self.relation in (Relation.REMIX, Relation.EXTEND):
            return self.source.completed_prompt
        return self.source.earlier_prompt


def place(*, caller: Caller, order: Order, basis: Basis | None = None, now: datetime) -> tuple[str, ...]:
    """Queue the takes of an order for the caller's membership; their public ids, in order.

    One transaction and one audit event, whatever their number: the cost of all is reserved, or nothing happens.
    Raises NotAllowed, Invalid (naming each bad field) or OverQuota.
    """
    member = orderer(caller)
    open_variants = variants_for(member)
    variant = choose(open_variants, order)
    if basis is not None and basis.relation == Relation.FINAL:  # what a refusal may name instead
        open_variants = [other for other in open_variants if other.stage == Stage.FINAL]
    with log.transaction() as events:
        look = _look(member, open_variants, variant, order, basis)
        picture = _picture(member, open_variants, variant, order)
        takes = _takes(caller, member, variant, order, basis, look, picture, now)
        first, ids_made = takes[0], [take.public_id for take in takes]
        quotas.reserve_each(membership_id=member.id, videos=ids_made, seconds=first.cost, now=now)
        Video.objects.bulk_create(takes)
        note_expectation(lane=variant.queue, videos=[take.pk for take in takes], now=now)
        events.record(
            action="video.requested",
            actor=caller.actor,
            target=first.public_id if len(takes) == 1 else first.request,
            now=now,
            data=_noted(first, variant, order, basis, ids_made),
        )
        wake_after_commit(variant.queue)
    return tuple(ids_made)


def check(*, caller: Caller, order: Order, basis: Basis | None = None) -> None:
    """Raise what `place` would, quota aside: for who has to make something first that the order needs."""
    member = orderer(caller)
    open_variants = variants_for(member)
    variant = choose(open_variants, order)
    with transaction.atomic():
        _look(member, open_variants, variant, order, basis)
        _picture(member, open_variants, variant, order)


def faults(*, caller: Caller, order: Order, basis: Basis | None = None) -> Mapping[str, str]:
    """What `place` would refuse, by field; nothing for who may not order at all."""
    if caller.membership is None:
        return {}
    member, found = caller.membership, dict[str, str]()
    try:
        open_variants = variants_for(member)
        variant = choose(open_variants, order)
    except Invalid as refusal:
        return refusal.fields
    except NotAllowed:
        return {}
    with transaction.atomic():
        for ask in (
            lambda: _look(member, open_variants, variant, order, basis),
            lambda: _picture(member, open_variants, variant, order),
        ):
            try:
                ask()
            except Invalid as refusal:
                found.update(refusal.fields)
    return found


def orderer(caller: Caller) -> MembershipView:
    """The membership for which the caller renders. Raises NotAllowed."""
    gate.check_may(caller, gate.Action.RENDER)
    if caller.membership is None:
        raise NotAllowed("not_a_member", "You are not a member of a programme.")
    return caller.membership


def variants_for(member: MembershipView) -> list[ModelVariant]:
    """What the member may render with, the default first. Raises NotAllowed when there is nothing. One statement."""
    found = variants_open_to(member.programme.id, member.cohort_id)
    if not found:
        raise NotAllowed("no_variant", "This programme has no model to render with yet.")
    return found


def choose(variants: Sequence[ModelVariant], order: Order) -> ModelVariant:
    """The variant that renders the order. Raises Invalid naming each field that stands in the way."""
    chosen = variants[0] if order.variant is None else None
    for variant in variants:
        if variant.slug == order.variant:
            chosen = variant
    if chosen is None:
        known = ", ".join(variant.slug for variant in variants)
        unknown = f"There is no model “{(order.variant or '')[:40]}” here. You can use {known}."
        fields = {"model": unknown} | order_faults(order, None)
        raise Invalid("unknown_model", " ".join(fields.values()), fields=fields)
    check_order(order, chosen)
    return chosen


def _look(
    member: MembershipView,
    variants: Sequence[ModelVariant],
    variant: ModelVariant,
    order: Order,
    basis: Basis | None,
) -> Look:
    def on(other: ModelVariant) -> Look:
        if basis is not None and basis.same_look:
            return looks.of_clip(member=member, variant=other, clip=basis.source)
        return looks.resolve(
            member=member,
            variant=other,
            prompt=order.prompt,
            style=order.style,
            negative_prompt=order.negative_prompt,
        )

    try:
        look = on(variant)
    except Invalid as refusal:
        if refusal.code != "style_for_another_model":
            raise
        able = [other for other in variants if other != variant and _can(on, other)]
        raise _with_models(refusal, able) from refusal
    if order.guidance is not None and not math.isclose(order.guidance, look.guidance):
        decides = "the style" if look.guidance != variant.guidance else "the model"
        sentence = f"The guidance is {look.guidance:g}, not {order.guidance:g}: {decides} decides."
        raise Invalid("invalid_request", sentence, fields={"guidance": sentence})
    return look


def _picture(
    member: MembershipView, variants: Sequence[ModelVariant], variant: ModelVariant, order: Order
) -> int | None:
    try:
        return references.resolve(
            member=member, variant=variant, reference=order.reference, character=order.character
        )
    except Invalid as refusal:
        if refusal.code != "images_unsupported":
            raise
        raise _with_models(refusal, [other for other in variants if other.images]) from refusal


def _can(on: Callable[[ModelVariant], Look], variant: ModelVariant) -> bool:
    try:
        on(variant)
    except Invalid:
        return False
    return True


def _with_models(refusal: Invalid, able: Sequence[ModelVariant]) -> Invalid:
    """The same refusal, which says as well what the member could render it with."""
    names = ", ".join(variant.slug for variant in able)
    more = f" These can: {names}." if names else " No model here can."
    fields = {field: sentence + more for field, sentence in refusal.fields.items()}
    return Invalid(refusal.code, refusal.sentence + more, fields=fields)


def _takes(
    caller: Caller,
    member: MembershipView,
    variant: ModelVariant,
    order: Order,
    basis: Basis | None,
    look: Look,
    picture: int | None,
    now: datetime,
) -> list[Video]:
    width, height = (int(part) for part in (order.size or variant.sizes[0]).split("x"))
    seconds = order.seconds or variant.lengths[0]
    first = secrets.randbelow(LARGEST_SEED + 1) if order.seed is None else order.seed
    again = basis.source if basis is not None and basis.relation == Relation.AGAIN else None
    request = ids.new("req")
    return [
        Video(
            request=request,
            take=number,
            membership_id=member.id,
            variant=variant,
            requested_by=str(caller.actor),
            prompt=order.prompt.strip(),
            styled_prompt=look.styled_prompt,
            earlier_prompt=basis.earlier_prompt if basis else "",
            negative_prompt=look.negative_prompt,
            style_id=look.style,
            adapter_id=look.adapter,
            adapter_weight=look.adapter_weight,
            reference_id=picture,
            source=basis.source if basis else None,
            relation=basis.relation if basis else "",
            seed=seed,
            width=width,
            height=height,
            seconds=seconds,
            fps=again.fps if again else order.fps or variant.rates[0],
            steps=again.steps if again else variant.steps,
            guidance=look.guidance,
            cost=seconds * variant.cost_per_second,
            created_at=now,
            queued_at=now,
        )
        for number, seed in enumerate(seeds(first, order.takes), start=1)
    ]


def _noted(
    first: Video, variant: ModelVariant, order: Order, basis: Basis | None, takes: Sequence[str]
) -> dict[str, object]:
    """What the audit log keeps of an order: what it costs and where it comes from, none of the artist's words."""
    noted: dict[str, object] = {
        "variant": variant.slug,
        "seconds": first.seconds,
        "size": f"{first.width}x{first.height}",
        "cost": first.cost * len(takes),
    }
    if len(takes) > 1:
        noted["takes"] = list(takes)
    if basis is not None:
        noted |= {"source": basis.source.public_id, "relation": str(basis.relation)}
    return noted

"""Clips that come from other clips: remixed, gone on from, finished, rendered again. Always from the member's own.

Each verb makes an order from its source and places it: what an order may not have is refused here too, and then
nothing has changed. Where None stands for "as in the source", an empty text leaves it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict, Unpack

from access.caller import Caller
from core.errors import Invalid, WrongState
from generation.models import Attempt, ModelVariant, Stage, Video, Worker
from generation.rules import Order, own_part
from generation.services import orders, references, sources
from generation.services.orders import Basis
from generation.states import OPEN, WORKER_GONE, AttemptEnd, Relation
from programme.services import quotas


class FinalChanges(TypedDict, total=False):
    """What a final may have otherwise than its take; what is not named, or None, is as it was there."""

    variant: str | None
    seconds: int | None
    size: str | None
    fps: int | None
    style: str | None


class Onward(FinalChanges, total=False):
    """Likewise a clip that goes on from another."""

    prompt: str | None
    seed: int | None
    takes: int
    negative_prompt: str | None


class Changes(Onward, total=False):
    """Likewise one with a beginning of its own."""

    reference: str | None
    character: str | None


def remix(*, caller: Caller, video: str, now: datetime, **changes: Unpack[Changes]) -> tuple[str, ...]:
    """Render a clip otherwise: with other words, another style or length, and with its own seed unless one is given.

    The source may be in any state. Raises NotAllowed, NotFound, Invalid, OverQuota.
    """
    member = orders.orderer(caller)
    source = sources.own(member, video)
    order = _changed(source, orders.variants_for(member), changes, Relation.REMIX)
    return orders.place(caller=caller, order=order, basis=_basis(source, order), now=now)


def extend(*, caller: Caller, video: str, now: datetime, **changes: Unpack[Onward]) -> tuple[str, ...]:
    """Go on from the last native frame of a clip that has rendered, for `seconds` more: a new clip, from that picture.

    Raises what `remix` raises, and WrongState (not_completed, no_frames, too_many_references).
    """
    member = orders.orderer(caller)
    source = sources.finished(member, video)
    variants = orders.variants_for(member)
    order = replace(_changed(source, variants, changes, Relation.EXTEND), reference=None, character=None)
    variant = orders.choose(variants, order)
    _check_images(variant, variants)
    basis = _basis(source, order)
    orders.check(caller=caller, order=order, basis=basis)
    seconds = (order.seconds or variant.lengths[0]) * variant.cost_per_second
    quotas.check_left(membership_id=member.id, seconds=seconds, count=order.takes, now=now)
    picture = references.last_of(caller=caller, video=video, now=now)
    with references.kept_for(picture, caller=caller, now=now):
        return orders.place(caller=caller, order=replace(order, reference=picture), basis=basis, now=now)


def final(*, caller: Caller, video: str, now: datetime, **changes: Unpack[FinalChanges]) -> tuple[str, ...]:
    """Render a chosen take with a variant that makes finals: same seed, prompt and picture.

    The look is the take's, word for word, unless another `style` is named. `variant` is the first that the member may
    use unless one is named; length, size and rate are the take's where that variant makes them. Raises what `remix`
    raises, and WrongState (not_completed).
    """
    member = orders.orderer(caller)
    source = sources.finished(member, video)
    variants = orders.variants_for(member)
    named = _final_variant(variants, changes.get("variant"))
    # A final without the take's style would be another clip; who wants that remixes it.
    given = {**changes, "variant": named.slug, "style": changes.get("style") or None}
    order = _changed(source, [named], given, Relation.FINAL)
    return orders.place(caller=caller, order=order, basis=_basis(source, order), now=now)


def again(*, caller: Caller, video: str, now: datetime) -> tuple[str, ...]:
    """Render a clip once more, from all that it was made from: the same frames bit for bit on the same kind of worker.

    What went through a forward together goes through one together again (`Claim.repeat`). Raises what `remix` raises,
    and WrongState: not_ended, model_changed when the checkpoint is known to be another one by now.
    """
    member = orders.orderer(caller)
    source = sources.own(member, video)
    if source.state in OPEN:
        sentence = f"This clip is {source.get_state_display()}. It can be rendered again when it has ended."
        raise WrongState("not_ended", sentence)
    _check_same_model(source, now)
    order = replace(_order(source, Relation.AGAIN), fps=None)  # the clip's, offered still or not
    basis = Basis(source, Relation.AGAIN, same_look=True)
    return orders.place(caller=caller, order=order, basis=basis, now=now)


def _basis(source: Video, order: Order) -> Basis:
    """The look is kept word for word where nothing of it was changed, whatever became of its style since."""
    as_it_was = _order(source, Relation.REMIX)
    of_look = ("prompt", "style", "negative_prompt")
    same = all(getattr(order, name) == getattr(as_it_was, name) for name in of_look)
    return Basis(source, Relation.REMIX if order.relation is None else order.relation, same_look=same)


def _order(source: Video, relation: Relation) -> Order:
    """The order that would ask for the source as it is."""
    style_negative = source.style.negative_prompt if source.style else ""
    return Order(
        prompt=source.prompt,
        variant=source.variant.slug,
        seconds=source.seconds,
        size=f"{source.width}x{source.height}",
        fps=source.fps,
        seed=source.seed,
        style=source.style.public_id if source.style else None,
        negative_prompt=own_part(source.negative_prompt, style_negative),
        reference=source.reference.public_id if source.reference else None,
        source=source.public_id,
        relation=relation,
    )


def _changed(
    source: Video, variants: Sequence[ModelVariant], changes: Mapping[str, Any], relation: Relation
) -> Order:
    """The source's order with what was named. Another variant gives its own length and size where it lacks these."""
    order = _order(source, relation)
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    if "character" in given and "reference" not in given:
        given["reference"] = None
    order = replace(order, **given)
    chosen = next((found for found in variants if found.slug == order.variant), None)
    if chosen is not None and "fps" not in given and order.fps not in chosen.rates:
        order = replace(order, fps=None)
    if chosen is None or chosen.pk == source.variant_id:
        return order
    if "seconds" not in given and order.seconds not in chosen.lengths:
        order = replace(order, seconds=None)
    if "size" not in given and order.size not in chosen.sizes:
        order = replace(order, size=None)
    return order


def _check_images(variant: ModelVariant, variants: Sequence[ModelVariant]) -> None:
    if variant.images:
        return
    able = ", ".join(found.slug for found in variants if found.images)
    can = f"These can: {able}." if able else "No model here can."
    sentence = f"{variant.name} does not start from a picture, so it cannot go on from a clip. {can}"
    raise Invalid("images_unsupported", sentence, fields={"model": sentence})


def _final_variant(variants: Sequence[ModelVariant], named: str | None) -> ModelVariant:
    finals = [found for found in variants if found.stage == Stage.FINAL]
    if not finals:
        sentence = "There is no model here that makes finals, or none that is open to your cohort."
        raise Invalid("no_final_model", sentence, fields={"model": sentence})
    if named is None:
        return finals[0]
    for found in finals:
        if found.slug == named:
            return found
    able = ", ".join(found.slug for found in finals)
    draft = next((found.name for found in variants if found.slug == named), None)
    if draft is None:
        sentence = f"There is no model “{named[:40]}” here. These make finals: {able}."
        raise Invalid("unknown_model", sentence, fields={"model": sentence})
    sentence = f"{draft} makes drafts. These make finals: {able}."
    raise Invalid("not_a_final_model", sentence, fields={"model": sentence})


def _check_same_model(source: Video, now: datetime) -> None:
    """Refuse where the same frames are known not to come: the checkpoint is named by its digest, which has changed.

    What is known are the living workers that hold it and, without one, the latest clip of the variant.
    """
    attempt = Attempt.objects.filter(video=source, end=AttemptEnd.FINISHED).first()
    if attempt is None or not attempt.checkpoint_digest:
        return
    today = _digests_held(source.variant, now) or _digest_used_last(source.variant)
    if today and attempt.checkpoint_digest not in today:
        sentence = (
            f"{source.variant.name} has changed since this clip was made (checkpoint "
            f"{attempt.checkpoint_digest[:12]}, now {min(today)[:12]}), so the same frames would not come. "
            "Remix the clip to render it with the model of today."
        )
        raise WrongState("model_changed", sentence)


def _digests_held(variant: ModelVariant, now: datetime) -> set[str]:
    alive = Worker.objects.filter(
        stopped_at=None, seen_at__gt=now - WORKER_GONE, lanes__contains=[variant.queue]
    )
    return {
        str(held["digest"])
        for worker in alive
        for held in worker.held
        if (held.get("backend"), held.get("checkpoint")) == (variant.backend, variant.checkpoint)
        and held.get("digest")
    }


def _digest_used_last(variant: ModelVariant) -> set[str]:
    made = Attempt.objects.filter(video__variant=variant, end=AttemptEnd.FINISHED).order_by("-ended_at")
    latest = made.values_list("checkpoint_digest", flat=True).first()
    return {latest} if latest else set()

"""Asking for a render, and stopping one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from django.db import transaction

from access import gate
from access.caller import Caller
from audit import log, outbox
from core import ids
from core.actors import Actor
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from generation import progress
from generation.models import Attempt, ModelVariant, Video
from generation.rules import LARGEST_SEED, Order, check_order, order_faults
from generation.services.queueing import wake_after_commit
from generation.states import OPEN, AttemptEnd, VideoState
from programme.services import quotas


def submit(*, caller: Caller, order: Order, now: datetime) -> str:
    """Queue a render for the caller's membership and return the video's public id.

    Reserves its cost of the day's quota in the same transaction. Raises NotAllowed, Invalid (naming each
    bad field) or OverQuota; then nothing has changed.
    """
    gate.check_may(caller, gate.Action.RENDER)
    if caller.membership is None:
        raise NotAllowed("not_a_member", "You are not a member of a programme.")
    variant = _variant(caller.membership.programme.id, order)
    size = order.size or variant.sizes[0]
    width, height = (int(part) for part in size.split("x"))
    seconds = order.seconds or variant.lengths[0]
    seed = secrets.randbelow(LARGEST_SEED + 1) if order.seed is None else order.seed
    video = Video(
        request=ids.new("req"),
        membership_id=caller.membership.id,
        variant=variant,
        requested_by=str(caller.actor),
        prompt=order.prompt.strip(),
        seed=seed,
        width=width,
        height=height,
        seconds=seconds,
        fps=variant.fps,
        steps=variant.steps,
        guidance=variant.guidance,
        cost=seconds * variant.cost_per_second,
        created_at=now,
        queued_at=now,
    )
    with log.transaction() as events:
        quotas.reserve(membership_id=caller.membership.id, video=video.public_id, seconds=video.cost, now=now)
        video.save(force_insert=True)
        events.record(
            action="video.requested",
            actor=caller.actor,
            target=video.public_id,
            now=now,
            data={"variant": variant.slug, "seconds": seconds, "size": size, "cost": video.cost},
        )
        wake_after_commit(variant.queue)
    return video.public_id


def faults(*, caller: Caller, order: Order) -> Mapping[str, str]:
    """What `submit` would refuse, by field: for a door that has found faults of form and names them all at once."""
    if caller.membership is None:
        return {}
    try:
        _variant(caller.membership.programme.id, order)
    except Invalid as refusal:
        return refusal.fields
    return {}


def cancel(*, video: str, membership_id: int, by: Actor, now: datetime) -> None:
    """Stop a queued or running render and give its quota back. WrongState when it has ended."""
    with log.transaction() as events:
        row = Video.objects.select_for_update().filter(public_id=video, membership_id=membership_id).first()
        if row is None or row.deleted_at is not None:
            raise NotFound("not_found", "There is no such clip.")
        if row.state not in OPEN:
            raise WrongState("already_ended", f"This render has ended: it is {row.get_state_display()}.")
        end_as_cancelled(row, now=now)
        events.record(action="video.cancelled", actor=by, target=video, now=now)


def end_as_cancelled(row: Video, *, now: datetime) -> None:
    """`row` is locked and open. The worker that holds it learns at its next step."""
    lease = row.lease_token
    row.state = VideoState.CANCELLED
    row.finished_at = now
    row.lease_worker, row.lease_token, row.lease_expires_at = "", None, None
    row.error_code, row.error_sentence = "cancelled", "You stopped this render. Nothing was charged."
    row.save(
        update_fields=[
            "state",
            "finished_at",
            "lease_worker",
            "lease_token",
            "lease_expires_at",
            "error_code",
            "error_sentence",
        ]
    )
    if lease is not None:
        Attempt.objects.filter(lease_token=lease).update(ended_at=now, end=AttemptEnd.CANCELLED)
        transaction.on_commit(partial(progress.ask_to_stop, lease), robust=True)
    quotas.release(video=row.public_id, now=now)
    outbox.add(topic="video.failed", payload={"video": row.public_id, "code": "cancelled"}, now=now)
    transaction.on_commit(partial(progress.publish, row.public_id, state="cancelled"), robust=True)


def _variant(programme_id: int, order: Order) -> ModelVariant:
    """The variant that renders the order. Raises Invalid naming each field that stands in the way."""
    variants = list(
        ModelVariant.objects.filter(programme_id=programme_id, enabled=True).order_by("position", "slug")
    )
    if not variants:
        raise NotAllowed("no_variant", "This programme has no model to render with yet.")
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

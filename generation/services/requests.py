"""Asking for renders, and stopping them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from django.db import transaction

from access.caller import Caller
from audit import log, outbox
from core.actors import Actor
from core.errors import NotFound, WrongState
from generation import progress
from generation.models import Attempt, Video
from generation.rules import Order
from generation.services import files, orders, sources
from generation.states import OPEN, AttemptEnd, VideoState
from programme.services import quotas


def submit(*, caller: Caller, order: Order, now: datetime) -> tuple[str, ...]:
    """Queue the takes of an order for the caller's membership and return their public ids, in order.

    Reserves the cost of all in the day's quota in the same transaction. An order with a source is a remix of that own
    clip; what keeps more of it goes through `services.lineage`. Raises NotAllowed, NotFound, WrongState, Invalid
    (naming each bad field) or OverQuota; then nothing has changed.
    """
    member = orders.orderer(caller)
    return orders.place(caller=caller, order=order, basis=sources.basis(member, order), now=now)


def check(*, caller: Caller, order: Order) -> None:
    """Raise what `submit` would refuse, quota aside, for a door that keeps a picture for the order first."""
    orders.check(caller=caller, order=order)


def faults(*, caller: Caller, order: Order) -> Mapping[str, str]:
    """What `submit` would refuse, by field: for a door that has found faults of form and names them all at once."""
    return orders.faults(caller=caller, order=order)


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


def cancel_request(*, request: str, membership_id: int, by: Actor, now: datetime) -> int:
    """Stop every take of a request that has not ended, and give their quota back; how many those were.

    Raises NotFound when the member has no such request, WrongState (already_ended) when all its takes have ended.
    """
    with log.transaction() as events:
        rows = Video.objects.filter(request=request, membership_id=membership_id, deleted_at=None)
        takes = list(rows.select_for_update().order_by("take"))
        if not takes:
            raise NotFound("not_found", "There is no such request.")
        stopped = [take for take in takes if take.state in OPEN]
        if not stopped:
            raise WrongState("already_ended", "All takes of this request have ended.")
        for take in stopped:
            end_as_cancelled(take, now=now)
        events.record(
            action="request.cancelled",
            actor=by,
            target=request,
            now=now,
            data={"takes": [take.public_id for take in stopped]},
        )
    return len(stopped)


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
        # It may have begun to store its files; which it has is not known here.
        outbox.add(topic=files.PURGE, payload={"keys": files.keys(row.public_id, lease)}, now=now)
        transaction.on_commit(partial(progress.ask_to_stop, lease), robust=True)
    quotas.release(video=row.public_id, now=now)
    outbox.add(topic="video.failed", payload={"video": row.public_id, "code": "cancelled"}, now=now)
    transaction.on_commit(partial(progress.publish, row.public_id, state="cancelled"), robust=True)

"""The outbox: mails, purges and events are rows first, and leave the house after the commit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from audit.models import OutboxEvent
from core import enqueue

logger = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any]], None]
_handlers: dict[str, Handler] = {}
_forgotten: dict[str, frozenset[str]] = {}

BACK_OFF = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 86400)  # seconds until the next try
BATCH = 50


def handler(topic: str, *, forget: Iterable[str] = ()) -> Callable[[Handler], Handler]:
    """Register what delivers `topic`. A handler may be called twice for one event and must bear it.

    The fields of the payload named in `forget` are removed once they are delivered: they hold secrets.
    """

    def register(function: Handler) -> Handler:
        _handlers[topic] = function
        _forgotten[topic] = frozenset(forget)
        return function

    return register


def add(*, topic: str, payload: dict[str, Any], now: datetime, due_at: datetime | None = None) -> None:
    """Write an event, for now or for later; call inside the transaction that makes it true."""
    OutboxEvent.objects.create(topic=topic, payload=payload, created_at=now, due_at=due_at or now)
    enqueue.after_commit_once("audit.deliver_outbox")


def deliver_due(*, now: datetime) -> int:
    """Deliver what is due, oldest first, and return how many left. Several workers may run this at once."""
    delivered = _note_unheard(now)
    for _ in range(BATCH):
        outcome = _deliver_one(now)
        if outcome is None:
            break
        delivered += outcome
    return delivered


def _note_unheard(now: datetime) -> int:
    """Events that nobody here listens to are a record for those who will: all at once, for one commit."""
    due = OutboxEvent.objects.filter(delivered_at=None, due_at__lte=now)
    return due.exclude(topic__in=list(_handlers)).update(delivered_at=now)


@transaction.atomic
def _deliver_one(now: datetime) -> bool | None:
    event = (
        OutboxEvent.objects.select_for_update(skip_locked=True)
        .filter(delivered_at=None, due_at__lte=now)
        .order_by("due_at", "id")
        .first()
    )
    if event is None:
        return None
    deliver = _handlers.get(event.topic)
    try:
        if deliver is not None:
            with transaction.atomic():
                deliver(event.payload)
    except Exception as error:  # noqa: BLE001 - whatever a partner's library raises, the event is tried again
        event.attempts += 1
        event.last_error = f"{type(error).__name__}: {error}"[:2000]
        event.due_at = now + timedelta(seconds=BACK_OFF[min(event.attempts, len(BACK_OFF)) - 1])
        event.save(update_fields=["attempts", "last_error", "due_at"])
        logger.warning("outbox %s (%s) failed, attempt %s: %s", event.pk, event.topic, event.attempts, error)
        return False
    event.delivered_at = now
    forgotten = _forgotten.get(event.topic, frozenset())
    event.payload = {name: value for name, value in event.payload.items() if name not in forgotten}
    event.save(update_fields=["delivered_at", "payload"])
    return True

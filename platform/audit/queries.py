"""Reading the log: its proof, and the history of one thing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.chain import GENESIS, Entry, digest
from audit.models import AuditEvent, AuditHead


@dataclass(frozen=True, slots=True)
class Proof:
    """`broken_at` is the number of the first row that does not fit, None when all `count` rows do."""

    count: int
    broken_at: int | None
    reason: str = ""


def verify() -> Proof:
    """Walk the whole chain and recompute every link."""
    previous, expected = GENESIS, 1
    for event in AuditEvent.objects.order_by("seq").iterator(chunk_size=2000):
        if event.seq != expected:
            return Proof(expected - 1, expected, f"row {expected} is missing")
        if bytes(event.previous) != previous:
            return Proof(expected - 1, event.seq, "it does not follow the row before it")
        entry = Entry(event.at, event.actor, event.action, event.target, event.data)
        if digest(seq=event.seq, entry=entry, previous=previous) != bytes(event.hash):
            return Proof(expected - 1, event.seq, "its fields were changed")
        previous, expected = bytes(event.hash), expected + 1
    head = AuditHead.objects.get(id=1)
    if head.seq != expected - 1 or bytes(head.hash) != previous:
        return Proof(expected - 1, expected, "rows at the end are missing")
    return Proof(expected - 1, None)


def history(target: str, *, limit: int = 100) -> list[AuditEvent]:
    """The latest events about `target`, newest first."""
    return list(AuditEvent.objects.filter(target=target).order_by("-seq")[:limit])


@dataclass(frozen=True, slots=True)
class EventView:
    """`actor` is `kind:id`; `target` a public id."""

    seq: int
    at: datetime
    actor: str
    action: str
    target: str
    data: dict[str, Any]


def latest(*, limit: int, before: int | None = None, targets: Collection[str] = ()) -> list[EventView]:
    """The newest events, of all or of these `targets`, older than the number `before`. One statement."""
    rows = AuditEvent.objects.order_by("-seq")
    if before is not None:
        rows = rows.filter(seq__lt=before)
    if targets:
        rows = rows.filter(target__in=targets)
    return [
        EventView(row.seq, row.at, row.actor, row.action, row.target, row.data)
        for row in rows.only("seq", "at", "actor", "action", "target", "data")[:limit]
    ]

"""One transaction a service: its rows, its outbox events and, as the last statement, its audit events.

The chain has one head row, whose lock every writer needs. Taking it last keeps that lock as short as
a commit, and makes a deadlock through it impossible: whoever holds it asks for nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import connection
from django.db import transaction as database

from audit.chain import Entry, digest
from audit.models import AuditEvent, AuditHead
from core.actors import Actor


class Log:
    """Collects the events of one transaction."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def record(
        self, *, action: str, actor: Actor, target: str, now: datetime, data: dict[str, Any] | None = None
    ) -> None:
        """Note that `actor` did `action` (`noun.verb`) to `target` (a public id). Written when the transaction ends."""
        # A round trip through JSON now, so that what is hashed is what PostgreSQL gives back later.
        plain = json.loads(json.dumps(data or {}))
        self._entries.append(Entry(at=now, actor=str(actor), action=action, target=target, data=plain))

    def _write(self) -> None:
        if not self._entries:
            return
        with connection.cursor() as cursor:
            # Deferred foreign keys are checked here, not at commit: their row locks come before ours.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        head = AuditHead.objects.select_for_update().get(id=1)
        seq, previous = head.seq, bytes(head.hash)
        rows = []
        for entry in self._entries:
            seq += 1
            link = digest(seq=seq, entry=entry, previous=previous)
            rows.append(
                AuditEvent(
                    seq=seq,
                    at=entry.at,
                    actor=entry.actor,
                    action=entry.action,
                    target=entry.target,
                    data=entry.data,
                    previous=previous,
                    hash=link,
                )
            )
            previous = link
        AuditEvent.objects.bulk_create(rows)
        AuditHead.objects.filter(id=1).update(seq=seq, hash=previous)


_current: ContextVar[Log | None] = ContextVar("audit_log", default=None)


@contextmanager
def transaction() -> Iterator[Log]:
    """A database transaction whose last statements append to the chain what was recorded in it.

    A service called inside another's transaction joins it: one commit, one turn at the head's lock.
    An exception rolls everything back, the events too.
    """
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    log = Log()
    token = _current.set(log)
    try:
        with database.atomic():
            yield log
            log._write()
    finally:
        _current.reset(token)

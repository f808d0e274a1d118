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
from psycopg.types.json import Jsonb

from audit.chain import Entry, digest
from core.actors import Actor

# Written by hand: every service ends with it, under the lock that all of them need.
_APPEND = """WITH appended AS (
    INSERT INTO audit_auditevent (seq, at, actor, action, target, data, previous, hash)
    SELECT %(first)s + place - 1, at, actor, action, target, data, previous, hash
    FROM unnest(%(at)s::timestamptz[], %(actors)s::text[], %(actions)s::text[], %(targets)s::text[],
                %(data)s::jsonb[], %(previous)s::bytea[], %(hashes)s::bytea[])
         WITH ORDINALITY AS event(at, actor, action, target, data, previous, hash, place)
)
UPDATE audit_audithead SET seq = %(last)s, hash = %(hash)s WHERE id = 1
"""


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
            cursor.execute("SELECT seq, hash FROM audit_audithead WHERE id = 1 FOR UPDATE")
            seq, previous = cursor.fetchone()
            links = [bytes(previous)]
            for number, entry in enumerate(self._entries, start=seq + 1):
                links.append(digest(seq=number, entry=entry, previous=links[-1]))
            cursor.execute(
                _APPEND,
                {
                    "first": seq + 1,
                    "at": [entry.at for entry in self._entries],
                    "actors": [entry.actor for entry in self._entries],
                    "actions": [entry.action for entry in self._entries],
                    "targets": [entry.target for entry in self._entries],
                    "data": [Jsonb(entry.data) for entry in self._entries],
                    "previous": links[:-1],
                    "hashes": links[1:],
                    "last": seq + len(self._entries),
                    "hash": links[-1],
                },
            )


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

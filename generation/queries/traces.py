"""Traces as the office shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from generation.models import Trace
from generation.states import TraceState


@dataclass(frozen=True, slots=True)
class TracePicture:
    """A picture that shows what was read."""

    trace: str
    name: str
    storage_key: str


@dataclass(frozen=True, slots=True)
class TraceView:
    """`numbers` are of the copies that were named, the strongest first; `recipients` tells by number, in hexadecimal,
    for whom they were made, as actors, "" for nobody yet; it is empty until a second person has confirmed the answer.
    `reading` is what the words are made of."""

    public_id: str
    programme_id: int
    name: str
    note: str
    sha256: str
    bytes: int
    state: TraceState
    stage: str
    done: int
    total: int
    asked_by: int
    asked_by_name: str
    asked_at: datetime
    ended_at: datetime | None
    sentence: str
    numbers: tuple[int, ...]
    recipients: dict[str, str]
    reading: dict[str, Any]
    pictures: dict[str, str]
    confirmed_by_name: str
    confirmed_at: datetime | None

    def picture(self, name: str) -> TracePicture | None:
        key = self.pictures.get(name)
        return TracePicture(self.public_id, name, key) if key else None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


def traces(programme_id: int, *, limit: int, after: str | None = None) -> list[TraceView]:
    """A programme's, the latest first, following `after` (a public id). One statement, one more with it."""
    mine = Trace.objects.filter(programme_id=programme_id)
    rows = mine
    if after is not None:
        edge = mine.filter(public_id=after).values_list("asked_at", "id").first()
        if edge is None:
            return []
        rows = rows.filter(Q(asked_at__lt=edge[0]) | Q(asked_at=edge[0], id__lt=edge[1]))
    return [_view(row) for row in rows.select_related("asked_by", "confirmed_by")[:limit]]


def trace(programme_id: int, public_id: str) -> TraceView | None:
    """One statement."""
    rows = Trace.objects.filter(programme_id=programme_id, public_id=public_id)
    row = rows.select_related("asked_by", "confirmed_by").first()
    return _view(row) if row else None


def _view(row: Trace) -> TraceView:
    who = row.confirmed_by
    return TraceView(
        public_id=row.public_id,
        programme_id=row.programme_id,
        name=row.name,
        note=row.note,
        sha256=row.sha256,
        bytes=row.bytes,
        state=TraceState(row.state),
        stage=row.stage,
        done=row.done,
        total=row.total,
        asked_by=row.asked_by_id,
        asked_by_name=row.asked_by.public_name or row.asked_by.email,
        asked_at=row.asked_at,
        ended_at=row.ended_at,
        sentence=row.sentence,
        numbers=tuple(row.numbers),
        recipients=row.recipients if row.confirmed_at else {},
        reading=row.reading,
        pictures=row.pictures,
        confirmed_by_name=(who.public_name or who.email) if who else "",
        confirmed_at=row.confirmed_at,
    )

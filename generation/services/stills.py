"""Frames of clips that their artists keep to start from: made by a worker, which alone can open the native frames."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, Q, QuerySet

from audit import outbox
from core import enqueue
from generation.look_rules import MOST_FRAME_TRIES
from generation.models import Mark, Reference
from generation.services import files, marks
from generation.services.copies import TASK
from generation.services.files import StoredFile
from generation.services.marks import Issued
from generation.states import Purpose

LEASE: Final = timedelta(minutes=2)
BACK_OFF: Final = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Job:
    """Frame `frame` of the native ones in `source`; `mark` is that of the artist's own copy of the clip, None where its
    frames carry none. `lease` proves that the picture is still this worker's to make."""

    reference: str
    lease: UUID
    video: str
    code: str
    mark_text: str
    style: str
    source: StoredFile
    frame: int
    mark: Mark | None

    def issued(self) -> Issued | None:
        """Raises NoKey in a process that has not the key of that mark."""
        return marks.issued_as(self.mark) if self.mark else None

    @property
    def shown_key(self) -> str:
        return _names(self.reference, self.lease)[0]

    @property
    def native_key(self) -> str:
        return _names(self.reference, self.lease)[1]


def wake_waiting(*, now: datetime) -> bool:
    """Wake a worker where pictures wait whose message was lost, or whose worker was."""
    if found := _due(now).exists():
        enqueue.after_commit_once(TASK)
    return found


def next_job(*, now: datetime) -> Job | None:
    """The picture that waits for longest."""
    with transaction.atomic():
        while (row := _due(now).select_for_update(skip_locked=True, of=("self",)).first()) is not None:
            if (job := _take(row, now)) is not None:
                return job
    return None


def job(reference: str, *, now: datetime) -> Job | None:
    """A picture that a render waits for, taken over from whoever is at it. None where it cannot be made any more."""
    with transaction.atomic():
        rows = _rows().select_for_update(of=("self",)).filter(made_at=None, removed_at=None)
        row = rows.filter(public_id=reference).first()
        return _take(row, now) if row is not None else None


def finish(*, job: Job, shown: StoredFile, size: int, native: StoredFile, now: datetime) -> bool:
    """The picture is there. False when it is somebody else's by now, or was removed: nothing has changed."""
    made = _mine(job).update(
        storage_key=shown.key,
        sha256=shown.sha256,
        bytes=size,
        native_key=native.key,
        native_sha256=native.sha256,
        made_at=now,
        lease_token=None,
        retry_at=None,
    )
    return bool(made)


def fail(*, job: Job, now: datetime, passing: bool = True, counts: bool = True) -> bool:
    """Its worker could not make it. What may pass is tried three times; what was stored goes. False when it was
    somebody else's by now."""
    with transaction.atomic():
        row = _mine(job).select_for_update().first()
        if row is None:
            return False
        forget(row, now=now)
        if not passing:
            row.tries = MOST_FRAME_TRIES
        elif not counts:
            row.tries -= 1
        row.lease_token, row.retry_at = None, now + BACK_OFF
        row.save(update_fields=["tries", "lease_token", "retry_at"])
    return True


def revive(reference: str) -> None:
    """Somebody asks again for a picture that could not be made."""
    rows = Reference.objects.filter(public_id=reference, made_at=None, tries__gte=MOST_FRAME_TRIES)
    if rows.update(tries=0, retry_at=None):
        enqueue.after_commit_once(TASK)


def forget(row: Reference, *, now: datetime) -> None:
    """After the commit, remove what a worker may have stored under its lease. `row` is locked."""
    if row.lease_token is not None:
        names = list(_names(row.public_id, row.lease_token))
        outbox.add(topic=files.PURGE, payload={"keys": names}, now=now)


def native_of(reference: str) -> StoredFile | None:
    """The sealed frame. None while it is not made."""
    row = Reference.objects.filter(public_id=reference).exclude(native_key="")
    found = row.values_list("native_key", "native_sha256").first()
    return StoredFile(*found) if found else None


def _names(reference: str, lease: UUID) -> tuple[str, str]:
    """Each try has names of its own: a worker that was given up for lost cannot overwrite another's files."""
    return f"{reference}/{lease}.png", f"{reference}/{lease}.sealed"


def _rows() -> QuerySet[Reference]:
    return Reference.objects.select_related("source__master").annotate(
        mark_text=F("source__membership__programme__mark_text"),
        mark_style=F("source__membership__programme__mark_style"),
    )


def _due(now: datetime) -> QuerySet[Reference]:
    due = Q(retry_at=None) | Q(retry_at__lte=now)
    rows = _rows().filter(due, made_at=None, removed_at=None, tries__lt=MOST_FRAME_TRIES)
    return rows.order_by("tries", "id")


def _mine(job: Job) -> QuerySet[Reference]:
    return Reference.objects.filter(public_id=job.reference, lease_token=job.lease, removed_at=None)


def _take(row: Reference, now: datetime) -> Job | None:
    """None where the clip was deleted before: it is not tried again."""
    forget(row, now=now)
    if row.source is None or row.frame is None or not row.source.master.source_key:
        row.tries, row.lease_token = MOST_FRAME_TRIES, None
        row.save(update_fields=["tries", "lease_token"])
        return None
    row.tries, row.lease_token, row.retry_at = row.tries + 1, uuid4(), now + LEASE
    row.save(update_fields=["tries", "lease_token", "retry_at"])
    master, more = row.source.master, vars(row)
    return Job(
        reference=row.public_id,
        lease=row.lease_token,
        video=row.source.public_id,
        code=row.source.code,
        mark_text=more["mark_text"],
        style=more["mark_style"],
        source=StoredFile(master.source_key, master.source_sha256),
        frame=row.frame,
        mark=Mark.objects.filter(master=master, purpose=Purpose.MASTER).first(),
    )

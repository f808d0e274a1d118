"""Frames of clips that their artists keep to start from: made by a worker, which alone can open the native frames."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F, QuerySet

from core import enqueue
from generation import keys
from generation.models import Mark, Reference
from generation.services import marks
from generation.services.copies import TASK
from generation.services.files import StoredFile
from generation.services.marks import Issued
from generation.states import Purpose

MOST_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Job:
    """Frame `frame` of the native ones in `source`; `issued` is the number of the artist's own copy of the clip, None
    where its frames carry none. The epoch is what the frame is sealed under then."""

    reference: str
    video: str
    code: str
    mark_text: str
    style: str
    source: StoredFile
    frame: int
    issued: Issued | None
    epoch: str


def unmade() -> QuerySet[Reference]:
    """What waits for a worker."""
    return Reference.objects.filter(made_at=None, removed_at=None, tries__lt=MOST_TRIES)


def wake_waiting() -> bool:
    """Wake a worker where pictures wait whose message was lost."""
    if found := unmade().exists():
        enqueue.after_commit_once(TASK)
    return found


def next_job(*, now: datetime) -> Job | None:
    """The picture that waits for longest. Two workers may make the same one: the first that is done counts."""
    found = unmade().order_by("tries", "id").values_list("public_id", flat=True).first()
    return job(found, now=now) if found is not None else None


def job(reference: str, *, now: datetime) -> Job | None:
    """What it takes to make a picture. None where its clip was deleted before that: it is not tried again."""
    rows = Reference.objects.filter(public_id=reference)
    rows.update(tries=F("tries") + 1)
    row = (
        rows.select_related("source__master")
        .annotate(
            mark_text=F("source__membership__programme__mark_text"),
            mark_style=F("source__membership__programme__mark_style"),
        )
        .get()
    )
    if row.source is None or row.frame is None or not row.source.master.source_key:
        rows.update(tries=MOST_TRIES)
        return None
    master, more = row.source.master, vars(row)
    mark = Mark.objects.filter(master=master, purpose=Purpose.MASTER).first()
    return Job(
        reference=reference,
        video=row.source.public_id,
        code=row.source.code,
        mark_text=more["mark_text"],
        style=more["mark_style"],
        source=StoredFile(master.source_key, master.source_sha256),
        frame=row.frame,
        issued=marks.issued_as(mark) if mark else None,
        epoch=keys.ring().epoch_at(now),
    )


def finish(*, job: Job, shown: StoredFile, size: int, native: StoredFile, now: datetime) -> bool:
    """The picture is there. False when somebody else made it, or it was removed: nothing has changed."""
    rows = Reference.objects.filter(public_id=job.reference, made_at=None, removed_at=None)
    return bool(
        rows.update(
            storage_key=shown.key,
            sha256=shown.sha256,
            bytes=size,
            native_key=native.key,
            native_sha256=native.sha256,
            made_at=now,
        )
    )


def native_of(reference: str) -> StoredFile | None:
    """The sealed frame. None while it is not made."""
    row = Reference.objects.filter(public_id=reference).exclude(native_key="")
    found = row.values_list("native_key", "native_sha256").first()
    return StoredFile(*found) if found else None

"""Copies of a clip, one number for each recipient: asked for here, made by a worker that has the keys.

The first frames of a copy may be wanted a moment after somebody asks, and making one takes longer than playing it on
slow processors. So a spare is made ahead, of clips that others than their artist are about to see, and handed out when
they do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, When

from core import enqueue, ids
from core.states import sources
from generation.models import Copy, Rendition
from generation.services import marks
from generation.services.copyjobs import Job
from generation.services.files import purge
from generation.services.spares import Look, author, hand_out, hold, is_as, look_of, spares_of, take_back
from generation.states import COPY, CopyState, Purpose

if TYPE_CHECKING:
    from generation.spec import FileKind, FileMade

TASK: Final = "generation.copy"
LEASE: Final = timedelta(minutes=2)
MOST_TRIES: Final = 3
BACK_OFF: Final = timedelta(seconds=20)
PAUSE: Final = timedelta(minutes=5)  # after a fault of ours, however often somebody asks
REST: Final = timedelta(hours=1)  # after three lost workers
SET_ASIDE: Final = (
    "Three workers stopped in the middle of this copy, so it rests. It can be asked for again in an hour."
)


def queue_name() -> str:
    return f"{settings.DEPLOYMENT}.copies"


def order(*, master: int, purpose: Purpose, recipient: str, now: datetime) -> datetime | None:
    """Have that copy: it may be there, be on its way, be a spare until now, or be made from now on.

    Asking again is asking once; for one that failed it is asking again, once it has rested: then the answer is when it
    has. A public one that names its artist, or does not, against their wish of today is made anew: call it
    while no grant shows it. Nothing happens where there are no frames to make it from: the clip was deleted, or is one
    of a benchmark, in which all are the same.
    """
    with transaction.atomic():
        if not hold(master):
            return None
        found = Copy.objects.filter(master_id=master, purpose=purpose, recipient=recipient).first()
        look = look_of(master, purpose)
        if found is not None and purpose == Purpose.PUBLIC and not is_as(found, look):
            take_back(found, now)
            _again(found, now)
        found = found or hand_out(master, purpose, recipient, look, now)
        if found is None:
            _create(master, purpose, recipient, look, now)
        elif found.state == CopyState.FAILED:
            if found.retry_at is not None and found.retry_at > now:
                return found.retry_at
            _again(found, now)
        return None


def prepare(*, master: int, now: datetime) -> None:
    """Have a spare for whoever comes next."""
    with transaction.atomic():
        if not hold(master):
            return
        look = look_of(master, Purpose.SPARE)
        rows = list(spares_of(master, look).select_for_update(of=("self",)))
        if not rows:
            _create(master, Purpose.SPARE, "", look, now)
        for row in rows:
            if row.state == CopyState.FAILED and (row.retry_at is None or row.retry_at <= now):
                _again(row, now)


def renew_spares(*, older: Collection[str], now: datetime) -> int:
    """Spares that were marked under these keys, or are being, are made anew under a newer one, and how many: a key that
    was lost must not mark what somebody gets from now on."""
    under = Q()
    for key in older:
        under |= Q(mark__key_epoch__endswith=f".{key}")
    old = Copy.objects.filter(under, purpose=Purpose.SPARE) if older else Copy.objects.none()
    renewed = 0
    for master in old.values_list("master", flat=True).distinct().order_by("master"):
        with transaction.atomic():
            rows = list(old.filter(master=master).select_for_update(of=("self",))) if hold(master) else []
            for row in rows:
                take_back(row, now)
                row.delete()
            if rows:
                _create(master, Purpose.SPARE, "", look_of(master, Purpose.SPARE), now)
            renewed += len(rows)
    return renewed


def cancel(*, master: int, video: str, now: datetime) -> None:
    """The clip is being deleted: nothing more is made of it, and what its workers have stored goes.

    Call it with the Master locked, and before its renditions are removed.
    """
    rows = Copy.objects.select_for_update().filter(master_id=master)
    for row in rows.filter(state__in=sources(COPY, CopyState.FAILED)).order_by("id"):
        purge(video, row.lease_token, now=now)
        _end(row, CopyState.FAILED, "the clip was deleted")


def claim_next(*, now: datetime) -> Job | None:
    """Take up the copy that somebody waits for longest, then a spare. Two workers never take the same one.

    What was tried before comes after what was not, so that a copy that ends its workers holds up no other; one that
    took three with it is set aside. Raises NoKey in a process that could mark nothing; then nothing is taken up.
    """
    while True:
        with transaction.atomic():
            row = _next(now)
            if row is None:
                return None
            purge(row.master.video.public_id, row.lease_token, now=now)
            if row.tries < MOST_TRIES:
                return _take(row, now)
            _end(row, CopyState.FAILED, SET_ASIDE, retry_at=now + REST)


def prolong(*, job: Job, now: datetime) -> bool:
    """False when the copy is not this worker's any more."""
    return bool(_mine(job).update(lease_expires_at=now + LEASE))


def finish(*, job: Job, files: Sequence[FileMade], keys: Mapping[FileKind, str], now: datetime) -> bool:
    """The copy with its Renditions, in one transaction. False when the lease was lost or the clip was deleted: then
    nothing has changed, and the files are the caller's to remove."""
    with transaction.atomic():
        row = _mine(job).select_for_update().first() if hold(job.master) else None
        if row is None:
            return False
        Rendition.objects.bulk_create(
            Rendition(
                public_id=ids.new("rend"),
                master_id=row.master_id,
                kind=file.kind,
                mark_id=row.mark_id,
                sha256=file.sha256,
                bytes=file.bytes,
                media_type=file.media_type,
                width=file.width,
                height=file.height,
                storage_key=keys[file.kind],
                created_at=now,
            )
            for file in files
        )
        row.made_at = now
        _end(row, CopyState.READY)
    return True


def has_finished(*, keys: Mapping[FileKind, str]) -> bool:
    """Whether the files under these keys are those of a copy that is ready."""
    return Rendition.objects.filter(storage_key__in=list(keys.values())).exists()


def fail(*, job: Job, error: str, transient: bool, now: datetime) -> bool:
    """What may pass is tried three times. What was stored goes. False when the lease was lost."""
    with transaction.atomic():
        row = _mine(job).select_for_update().first()
        if row is None:
            return False
        purge(job.video, job.lease, now=now)
        if transient and row.tries < MOST_TRIES:
            _end(row, CopyState.WAITING, error, retry_at=now + BACK_OFF)
        else:
            _end(row, CopyState.FAILED, error, retry_at=now + PAUSE)
    return True


def hand_back(*, job: Job, now: datetime) -> bool:
    """The worker leaves before the copy is made: it waits again, and the try does not count."""
    with transaction.atomic():
        row = _mine(job).select_for_update().first()
        if row is None:
            return False
        purge(job.video, job.lease, now=now)
        row.tries -= 1
        _end(row, CopyState.WAITING)
        enqueue.after_commit_once(TASK)
    return True


def wake_waiting(*, now: datetime) -> bool:
    """Wake a worker where copies wait whose message was lost, or whose worker was."""
    if found := _due(now).exists():
        enqueue.after_commit_once(TASK)
    return found


def _create(master: int, purpose: Purpose, recipient: str, look: Look, now: datetime) -> None:
    Copy.objects.create(
        master_id=master, purpose=purpose, recipient=recipient, style=look.style, asked_at=now
    )
    enqueue.after_commit_once(TASK)


def _again(row: Copy, now: datetime) -> None:
    row.tries, row.asked_at = 0, now
    _end(row, CopyState.WAITING)
    enqueue.after_commit_once(TASK)


def _mine(job: Job) -> QuerySet[Copy]:
    return Copy.objects.filter(pk=job.copy, state=CopyState.MAKING, lease_token=job.lease)


def _due(now: datetime) -> QuerySet[Copy]:
    """What may be taken up. Of a clip that was deleted, nothing."""
    waiting = Q(state=CopyState.WAITING) & (Q(retry_at=None) | Q(retry_at__lte=now))
    lapsed = Q(state=CopyState.MAKING, lease_expires_at__lte=now)
    return Copy.objects.filter(waiting | lapsed).exclude(master__source_key="")


def _next(now: datetime) -> Copy | None:
    """Locked until the transaction ends."""
    rows = _due(now).select_for_update(skip_locked=True, of=("self",))
    rows = rows.select_related("mark", "master__video__variant")
    rows = rows.annotate(
        mark_text=F("master__video__membership__programme__mark_text"),
        wished_author=author("master__video__membership"),
    )
    spares_last = Case(When(purpose=Purpose.SPARE, then=1), default=0)
    return rows.order_by(spares_last, "tries", "id").first()


def _take(row: Copy, now: datetime) -> Job:
    """Its number stands in a Mark from the first try on and is the same at each: no file has one that nobody knows."""
    row.author = vars(row)["wished_author"]
    lease, mark = uuid4(), row.mark or marks.keep(marks.issue(now=now), copy=row, now=now)
    row.state, row.mark, row.tries, row.retry_at = CopyState.MAKING, mark, row.tries + 1, None
    row.lease_token, row.lease_expires_at = lease, now + LEASE
    row.save(update_fields=["mark", "author", *_MOVED])
    return Job.of(row, mark, lease)


_MOVED: Final = (
    "state", "tries", "retry_at", "error", "asked_at", "made_at", "lease_token", "lease_expires_at"
)  # fmt: skip


def _end(row: Copy, state: CopyState, error: str = "", *, retry_at: datetime | None = None) -> None:
    """The worker's time with it is over, or it never had any. `row` is locked."""
    row.state, row.error, row.retry_at = state, error[:2000], retry_at
    row.lease_token = row.lease_expires_at = None
    row.save(update_fields=[*_MOVED])

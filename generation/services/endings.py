"""Every end of an attempt but the good one: refused, failed, stopped for time, handed back, lost."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction

from audit import log, outbox
from core.actors import system
from generation import progress
from generation.models import Attempt, Video
from generation.services import files
from generation.services.queueing import Claim, wake_after_commit
from generation.states import AttemptEnd, VideoState
from programme.services import quotas

MOST_FAILURES = 3
MOST_CRASHES = 2
BACK_OFF = timedelta(seconds=20)
SET_ASIDE = (
    "Two machines stopped in the middle of this render, so we have set it aside and are looking into it. "
    "Nothing was charged."
)
FAULT = "We could not render this: a fault of ours. Nothing was charged. We have been told."
TOO_LONG = (
    "This render took longer than we let one take, so we stopped it. Nothing was charged. "
    "A shorter clip, or a smaller one, may get through."
)


def reject(*, claim: Claim, code: str, sentence: str, now: datetime) -> bool:
    """The artist's to change: failed at once, with the sentence."""
    return _end(claim.lease, AttemptEnd.FAILED, sentence, now, code=code, sentence=sentence)


def fail(*, claim: Claim, error: str, transient: bool, now: datetime) -> bool:
    """A fault of the machine is tried again, three times in all; a fault of ours is not."""
    most = MOST_FAILURES if transient else 1
    return _end(claim.lease, AttemptEnd.FAILED, error, now, most=most, code="render_failed", sentence=FAULT)


def took_too_long(*, claim: Claim, error: str, now: datetime) -> bool:
    """The variant's soft limit has passed; the render was stopped."""
    return _end(claim.lease, AttemptEnd.FAILED, error, now, code="took_too_long", sentence=TOO_LONG)


def hand_back(*, claim: Claim, now: datetime) -> bool:
    """The worker leaves before the render is done: queued again in its old place, and counted against nobody."""
    return _end(claim.lease, AttemptEnd.RELEASED, "the worker was asked to leave", now)


def crash(*, claim: Claim, error: str, now: datetime) -> bool:
    """The process is about to be ended with this render in it: as if it had been found lost."""
    return _lost(claim.lease, error, now)


def reap(*, now: datetime) -> int:
    """Take back every lease that ran out: queued again in its old place, or set aside after two lost workers."""
    leases = Video.objects.filter(state=VideoState.IN_PROGRESS, lease_expires_at__lt=now)
    found = [lease for lease in leases.values_list("lease_token", flat=True)[:100] if lease is not None]
    return sum(_lost(lease, "no heartbeat", now, lapsed=True) for lease in found)


def _lost(lease: UUID, error: str, now: datetime, *, lapsed: bool = False) -> bool:
    return _end(
        lease,
        AttemptEnd.LOST,
        error,
        now,
        most=MOST_CRASHES,
        code="set_aside",
        sentence=SET_ASIDE,
        lapsed=lapsed,
    )


def _end(
    lease: UUID,
    end: AttemptEnd,
    error: str,
    now: datetime,
    *,
    most: int = 1,
    code: str = "",
    sentence: str = "",
    lapsed: bool = False,
) -> bool:
    """End the attempt that holds `lease`, without a result. False when somebody else has ended it.

    The video fails with `code` once `most` of its attempts came to this end; without a code it is always queued again.
    """
    with log.transaction() as events:
        rows = Video.objects.select_for_update(of=["self"]).select_related("variant")
        row = rows.filter(lease_token=lease, state=VideoState.IN_PROGRESS).first()
        if row is None or (lapsed and row.lease_expires_at is not None and row.lease_expires_at >= now):
            return False
        Attempt.objects.filter(lease_token=lease).update(ended_at=now, end=end, error=error[:2000])
        ends = Counter(Attempt.objects.filter(video=row).values_list("end", flat=True))
        again = not code or ends[end] < most
        row.lease_worker, row.lease_token, row.lease_expires_at = "", None, None
        if again:
            row.state = VideoState.QUEUED
            row.retry_at = now + BACK_OFF * ends[end] if end == AttemptEnd.FAILED else None
        else:
            _fail(row, code, sentence, now)
        row.save(update_fields=[*_MOVED])
        files.purge(row.public_id, lease, now=now)
        events.record(
            action="video.requeued" if again else "video.failed",
            actor=system("sweeper" if lapsed else "worker"),
            target=row.public_id,
            now=now,
            data={"attempt": row.attempts_made, "end": str(end), "code": code},
        )
        transaction.on_commit(partial(progress.publish, row.public_id, state=str(row.state)), robust=True)
        if again:
            wake_after_commit(row.variant.queue)
    return True


_MOVED = (
    "state",
    "lease_worker",
    "lease_token",
    "lease_expires_at",
    "retry_at",
    "finished_at",
    "error_code",
    "error_sentence",
)


def _fail(row: Video, code: str, sentence: str, now: datetime) -> None:
    """`row` is locked and its caller's to save."""
    row.state, row.finished_at = VideoState.FAILED, now
    row.error_code, row.error_sentence = code, sentence
    quotas.release(video=row.public_id, now=now)
    outbox.add(topic="video.failed", payload={"video": row.public_id, "code": code}, now=now)

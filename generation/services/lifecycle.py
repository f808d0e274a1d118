"""From the queue to the end: claim, heartbeat, finish, fail, reap. Two workers never finish one video."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.db import connection, transaction

from audit import log, outbox
from core import enqueue
from core.actors import system
from generation import progress
from generation.models import Attempt, Master, Rendition, Video
from generation.services import files
from generation.services.requests import queue_name
from generation.states import AttemptEnd, VideoState
from programme.services import quotas

if TYPE_CHECKING:
    from generation.spec import FileMade, Produced

LEASE = timedelta(seconds=60)
HEARTBEAT = 15  # seconds
MOST_ATTEMPTS = 3
BACK_OFF = timedelta(seconds=20)
LOST = "The machine stopped answering three times. Nothing was charged. We are looking into it; please try again."
FAULT = "We could not render this: a fault of ours. Nothing was charged. We have been told."

_CLAIM = """
WITH next AS (
    SELECT v.id FROM generation_video v
    WHERE v.state = 'queued' AND (v.retry_at IS NULL OR v.retry_at <= %(now)s)
      AND v.variant_id IN (SELECT id FROM generation_modelvariant WHERE queue = %(lane)s)
    ORDER BY v.queued_at, v.id LIMIT 1
    FOR UPDATE OF v SKIP LOCKED
)
UPDATE generation_video v
SET state = 'in_progress', lease_worker = %(worker)s, lease_token = %(lease)s, lease_expires_at = %(until)s,
    started_at = %(now)s, retry_at = NULL, attempts_made = attempts_made + 1
FROM next WHERE v.id = next.id
RETURNING v.id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a worker needs for one attempt; `lease` proves that it is still the worker's to finish."""

    video: str
    video_id: int
    lease: UUID
    attempt: int
    code: str
    mark_text: str
    backend: str
    checkpoint: str
    prompt: str
    seed: int
    width: int
    height: int
    seconds: int
    fps: int
    steps: int
    guidance: float


def claim_next(*, lane: str, worker: str, now: datetime) -> Claim | None:
    """Take the oldest queued video of a queue, for one lease. None when nothing waits."""
    lease = uuid4()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                _CLAIM,
                {"now": now, "lane": lane, "worker": worker[:80], "lease": lease, "until": now + LEASE},
            )
            row = cursor.fetchone()
        if row is None:
            return None
        video = Video.objects.select_related("variant", "membership__programme").get(pk=row[0])
        Attempt.objects.create(
            video=video, number=video.attempts_made, worker=worker[:80], lease_token=lease, started_at=now
        )
        transaction.on_commit(
            partial(progress.publish, video.public_id, state="in_progress", total=video.steps), robust=True
        )
    return Claim(
        video=video.public_id,
        video_id=video.pk,
        lease=lease,
        attempt=video.attempts_made,
        code=video.code,
        mark_text=video.membership.programme.mark_text,
        backend=video.variant.backend,
        checkpoint=video.variant.checkpoint,
        prompt=video.prompt,
        seed=video.seed,
        width=video.width,
        height=video.height,
        seconds=video.seconds,
        fps=video.fps,
        steps=video.steps,
        guidance=video.guidance,
    )


def heartbeat(*, lease: UUID, now: datetime) -> bool:
    """Prolong the lease. False when it is not the worker's any more: stopped, or given up for lost."""
    held = Video.objects.filter(lease_token=lease, state=VideoState.IN_PROGRESS)
    return bool(held.update(lease_expires_at=now + LEASE))


def finish(*, claim: Claim, produced: Produced, keys: dict[str, str], digest: str, now: datetime) -> bool:
    """Complete the video with its Master and Renditions and settle the quota, in one transaction.

    `keys` maps each file's kind to where it was stored; `digest` names the checkpoint. False when the lease was
    lost: then nothing has changed, and the files are the caller's to remove.
    """
    with log.transaction() as events:
        done = Video.objects.filter(lease_token=claim.lease, state=VideoState.IN_PROGRESS).update(
            state=VideoState.COMPLETED,
            completed_prompt=produced.completed_prompt,
            ignored_words=[word[:80] for word in produced.ignored_words[:40]],
            finished_at=now,
            lease_worker="",
            lease_token=None,
            lease_expires_at=None,
        )
        if not done:
            return False
        attempt = Attempt.objects.get(lease_token=claim.lease)
        attempt.ended_at, attempt.end, attempt.checkpoint_digest = now, AttemptEnd.FINISHED, digest
        attempt.render_ms = round(produced.render_seconds * 1000)
        attempt.encode_ms = round(produced.encode_seconds * 1000)
        attempt.save(update_fields=["ended_at", "end", "checkpoint_digest", "render_ms", "encode_ms"])
        source = next((made for made in produced.files if made.kind == "source"), None)
        master = Master.objects.create(
            video_id=claim.video_id,
            attempt=attempt,
            frames_sha256=produced.frames_sha256,
            frame_count=produced.frame_count,
            native_width=produced.native_width,
            native_height=produced.native_height,
            native_frames=produced.native_frames,
            windows=produced.windows,
            source_key=keys[source.kind] if source else "",
            source_sha256=source.sha256 if source else "",
            source_bytes=source.bytes if source else 0,
            method=produced.method[:300],
            created_at=now,
        )
        Rendition.objects.bulk_create(
            _rendition(master, made, keys[made.kind], now) for made in produced.files if made is not source
        )
        quotas.settle(video=claim.video, now=now)
        outbox.add(topic="video.completed", payload={"video": claim.video}, now=now)
        events.record(
            action="video.completed",
            actor=system("worker"),
            target=claim.video,
            now=now,
            data={
                "attempt": claim.attempt,
                "frames_sha256": produced.frames_sha256,
                "files": {made.kind: made.sha256 for made in produced.files},
            },
        )
        transaction.on_commit(
            partial(progress.publish, claim.video, state="completed", done=1, total=1), robust=True
        )
    return True


def _rendition(master: Master, made: FileMade, key: str, now: datetime) -> Rendition:
    return Rendition(
        master=master,
        kind=made.kind,
        sha256=made.sha256,
        bytes=made.bytes,
        media_type=made.media_type,
        width=made.width,
        height=made.height,
        storage_key=key,
        created_at=now,
    )


def reject(*, claim: Claim, code: str, sentence: str, now: datetime) -> bool:
    """The artist's to change: failed at once, with the sentence."""
    return _end(claim.lease, AttemptEnd.FAILED, sentence, now, retry=False, code=code, sentence=sentence)


def fail(*, claim: Claim, error: str, transient: bool, now: datetime) -> bool:
    """A fault of the machine is tried again, three attempts in all; a fault of ours is not."""
    return _end(
        claim.lease, AttemptEnd.FAILED, error, now, retry=transient, code="render_failed", sentence=FAULT
    )


def reap(*, now: datetime) -> int:
    """Take back every lease that ran out: queued again in its old place, or failed after three attempts."""
    leases = Video.objects.filter(state=VideoState.IN_PROGRESS, lease_expires_at__lt=now)
    count = 0
    for lease in list(leases.values_list("lease_token", flat=True)[:100]):
        if lease is not None:
            count += _end(
                lease,
                AttemptEnd.LOST,
                "no heartbeat",
                now,
                retry=True,
                code="worker_lost",
                sentence=LOST,
                lapsed=True,
            )
    return count


def wake_waiting(*, now: datetime, after: timedelta = timedelta(seconds=15)) -> list[str]:
    """Wake the workers of every queue in which a video has waited too long: its message was lost, or is late."""
    waiting = Video.objects.filter(state=VideoState.QUEUED, queued_at__lt=now - after).exclude(
        retry_at__gt=now
    )
    lanes = [
        lane
        for lane in waiting.values_list("variant__queue", flat=True).distinct()
        if progress.may_wake(lane)
    ]
    for lane in lanes:
        enqueue.send("generation.wake", queue=queue_name(lane), lane=lane)
    return lanes


def _end(
    lease: UUID,
    end: AttemptEnd,
    error: str,
    now: datetime,
    *,
    retry: bool,
    code: str,
    sentence: str,
    lapsed: bool = False,
) -> bool:
    """End the attempt that holds `lease`, without a result. False when somebody else has ended it."""
    with log.transaction() as events:
        rows = Video.objects.select_for_update().select_related("variant")
        row = rows.filter(lease_token=lease, state=VideoState.IN_PROGRESS).first()
        if row is None or (lapsed and row.lease_expires_at is not None and row.lease_expires_at >= now):
            return False
        again = retry and row.attempts_made < MOST_ATTEMPTS
        row.lease_worker, row.lease_token, row.lease_expires_at = "", None, None
        if again:
            row.state = VideoState.QUEUED
            row.retry_at = None if end == AttemptEnd.LOST else now + BACK_OFF * row.attempts_made
        else:
            row.state, row.finished_at, row.error_code, row.error_sentence = (
                VideoState.FAILED,
                now,
                code,
                sentence,
            )
            quotas.release(video=row.public_id, now=now)
            outbox.add(topic="video.failed", payload={"video": row.public_id, "code": code}, now=now)
        row.save()
        Attempt.objects.filter(lease_token=lease).update(ended_at=now, end=end, error=error[:2000])
        outbox.add(topic=files.PURGE, payload={"keys": files.keys(row.public_id, lease)}, now=now)
        events.record(
            action="video.requeued" if again else "video.failed",
            actor=system("sweeper" if lapsed else "worker"),
            target=row.public_id,
            now=now,
            data={"attempt": row.attempts_made, "end": str(end), "code": code},
        )
        transaction.on_commit(partial(progress.publish, row.public_id, state=str(row.state)), robust=True)
        if again:
            enqueue.after_commit(
                "generation.wake", queue=queue_name(row.variant.queue), lane=row.variant.queue
            )
    return True

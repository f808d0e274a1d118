"""While a worker holds a video, and the good end. Two workers never finish one video.

The other verbs of a video's life are handed on from here: `queueing` takes it up, `endings` ends it otherwise.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from audit import log, outbox
from core import ids
from core.actors import system
from generation import progress, rules
from generation.models import LONGEST_KIND, Attempt, Master
from generation.services import copies
from generation.services.endings import crash, fail, hand_back, reap, reject, took_too_long
from generation.services.marks import Issued
from generation.services.queueing import LEASE, Claim, claim_next, claim_takes, wake_waiting
from generation.services.results import FINISH
from generation.states import AttemptEnd, Purpose, Relation, VideoState
from programme.services import quotas

if TYPE_CHECKING:
    from generation.spec import FileKind, FileMade, Produced

__all__ = [
    "HEARTBEAT",
    "LEASE",
    "Claim",
    "Made",
    "claim_next",
    "claim_takes",
    "crash",
    "fail",
    "finish",
    "hand_back",
    "heartbeat",
    "reap",
    "reject",
    "took_too_long",
    "wake_waiting",
]

HEARTBEAT = 15  # seconds


@dataclass(frozen=True, slots=True)
class Made:
    """By what a result was made: digest of the checkpoint, kind of worker, rung of its memory ladder.

    `batch` specs went through one forward, this one at `place`; `busy` is how long this video kept its worker, in
    seconds, its share of the forward and the store with it. Without it, render and encode. `mark` is the number in the
    frames of what was made.
    """

    digest: str
    kind: str = ""
    rung: str = ""
    batch: int = 1
    place: int = 0
    busy: float | None = None
    mark: Issued | None = None


def heartbeat(*, lease: uuid.UUID, now: datetime) -> bool:
    """Prolong the lease. False when it is not the worker's any more: stopped, or given up for lost."""
    return bool(heartbeats(leases=[lease], now=now))


def heartbeats(*, leases: list[uuid.UUID], now: datetime) -> set[uuid.UUID]:
    """Prolong several at once, and say which are still the worker's. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generation_video SET lease_expires_at = %s WHERE lease_token = ANY(%s) AND state = %s "
            "RETURNING lease_token",
            (now + LEASE, leases, VideoState.IN_PROGRESS.value),
        )
        return {row[0] for row in cursor.fetchall()}


def finish(
    *, claim: Claim, produced: Produced, keys: Mapping[FileKind, str], made: Made, now: datetime
) -> bool:
    """Complete the video with its Master and Renditions and settle the quota, in one transaction.

    `keys` maps each file's kind to where it was stored. False when the lease was lost: then nothing has changed, and
    the files are the caller's to remove.
    """
    with log.transaction() as events:
        with connection.cursor() as cursor:
            cursor.execute(FINISH, _values(claim, produced, keys, made, now))
            if not cursor.fetchone():
                return False
        quotas.settle(video=claim.video, now=now)
        if made.mark is not None:
            _prepare_copies(claim, now)
        outbox.add(topic="video.completed", payload={"video": claim.video}, now=now)
        events.record(
            action="video.completed",
            actor=system("worker"),
            target=claim.video,
            now=now,
            data={
                "attempt": claim.attempt,
                "frames_sha256": produced.frames_sha256,
                "files": {file.kind: file.sha256 for file in produced.files},
            },
        )
        transaction.on_commit(
            partial(progress.publish, claim.video, state="completed", done=1, total=1), robust=True
        )
    return True


def _prepare_copies(claim: Claim, now: datetime) -> None:
    """A program comes for the clip in a moment; a final is what others will be shown."""
    token, final = claim.requested_by.startswith("token:"), claim.relation == Relation.FINAL
    if not token and not final:
        return
    master = Master.objects.values_list("pk", flat=True).get(video_id=claim.video_id)
    if token:
        copies.order(master=master, purpose=Purpose.TOKEN, recipient=claim.requested_by, now=now)
    if final:
        copies.prepare(master=master, now=now)


def has_finished(*, lease: uuid.UUID) -> bool:
    """Whether the attempt under this lease has completed its video."""
    return Attempt.objects.filter(lease_token=lease, end=AttemptEnd.FINISHED).exists()


def _values(
    claim: Claim, produced: Produced, keys: Mapping[FileKind, str], made: Made, now: datetime
) -> dict[str, Any]:
    source = next((file for file in produced.files if file.kind == "source"), None)
    shown = [file for file in produced.files if file is not source]
    render, encode = round(produced.render_seconds * 1000), round(produced.encode_seconds * 1000)
    return {
        "now": now,
        "lease": claim.lease,
        "completed_prompt": produced.completed_prompt,
        "ignored_words": [word[:80] for word in produced.ignored_words[:40]],
        "digest": made.digest,
        "model": rules.told_checkpoint(claim.backend, claim.checkpoint),
        "variant_name": claim.variant_name,
        "kind": made.kind[:LONGEST_KIND],
        "rung": made.rung[:40],
        "batch": made.batch,
        "place": made.place,
        "render_ms": render,
        "encode_ms": encode,
        "busy_ms": render + encode if made.busy is None else round(made.busy * 1000),
        "frames_sha256": produced.frames_sha256,
        "frame_count": produced.frame_count,
        "native_width": produced.native_width,
        "native_height": produced.native_height,
        "native_frames": produced.native_frames,
        "windows": produced.windows,
        "method": produced.method[:300],
        "mark_number": made.mark.forensic.number if made.mark else None,
        "mark_codeword": made.mark.codeword if made.mark else None,
        "mark_epoch": made.mark.epoch if made.mark else None,
        "source_key": keys[source.kind] if source else "",
        "source_sha256": source.sha256 if source else "",
        "source_bytes": source.bytes if source else 0,
        **_columns(shown, keys),
    }


def _columns(shown: list[FileMade], keys: Mapping[FileKind, str]) -> dict[str, list[Any]]:
    """The renditions, column by column."""
    return {
        "ids": [ids.new("rend") for _ in shown],
        "kinds": [file.kind for file in shown],
        "digests": [file.sha256 for file in shown],
        "sizes": [file.bytes for file in shown],
        "types": [file.media_type for file in shown],
        "widths": [file.width for file in shown],
        "heights": [file.height for file in shown],
        "keys": [keys[file.kind] for file in shown],
    }

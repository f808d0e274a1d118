"""Whose turn it is: PostgreSQL decides, the broker only wakes.

Inside a queue the members take turns by start-time fair queueing (Goyal, Vin and Cheng, 1996). Each claim carries a
start tag, in seconds of cost over the weight of the member's cohort: the finish tag of what the member had begun last
or, for who comes back from idle, the queue's virtual time, which is the start tag of its latest claim. The lowest tag
is served. So nobody saves up turns, and a burst delays nobody but its own member. A retry was charged when it was
claimed first: it comes before all tags, and is not charged again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4
from zlib import crc32

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count

from core import enqueue
from generation import progress
from generation.models import Place, Video
from generation.services.files import StoredFile
from generation.services.turns import CLAIM, CLAIM_TAKES
from generation.states import VideoState

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
_EXPECT = """
UPDATE generation_video video SET expected_at = %(now)s + make_interval(secs => line.wait + line.busy)
FROM generation_line(%(lane)s, %(now)s) line
WHERE line.video_id = video.id AND video.id = ANY(%(videos)s) AND line.wait IS NOT NULL AND line.busy IS NOT NULL
"""
_COPY = """
INSERT INTO generation_place (video_id, queue, place, wait, busy)
SELECT line.video_id, %(lane)s, line.place, line.wait, line.busy FROM generation_line(%(lane)s, %(now)s) line
"""
_LOCK = 0x70766C  # our class of advisory locks: "pvl"
_TRIES = 5
# Planning CLAIM takes longer than running it, so that it is planned once a connection and not once for each claim.
_STAND_IN_LINE = (
    "SELECT pg_advisory_xact_lock(%s, %s), set_config('plan_cache_mode', 'force_generic_plan', true)"
)


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
    negative_prompt: str = ""
    codec: str = "h264"
    picture: StoredFile | None = None
    adapter: StoredFile | None = None
    adapter_weight: float = 1.0
    variant_id: int = 0
    lane: str = ""
    soft_limit: int = 1200
    hard_limit: int = 1500
    earlier_prompt: str = ""
    variant_name: str = ""
    relation: str = ""
    """How it comes from another clip; that one's code and public id follow."""
    source_code: str | None = None
    source: str | None = None
    mark_style: str = "plate"
    requested_by: str = ""
    """The actor: a person in the studio, or a token."""
    reference: str | None = None
    """Public id of the picture."""
    frame: bool = False
    """Whether that is the frame of a clip: a sealed one then, which may still be to be made."""
    author: str | None = None
    """The artist's public name, where they wish that it stands in files."""
    siblings: int = 0
    """Takes of the same request that wait as well and were never tried."""
    repeat: int = 1
    """How many times the spec goes through one forward, so that "render again" repeats what its source went through."""
    place: int = 0
    """Which of them is kept: the place that its source had."""


def claim_next(*, lane: str | Sequence[str], worker: str, now: datetime) -> Claim | None:
    """Take up what is next in a queue, or in several of them, for one lease. None when nothing waits.

    Of several queues the one whose variant has the highest priority comes first, among equals the one that was served
    longest ago. Two workers never take the same video, and charge one after the other: claims of a queue stand in line
    for the length of a commit. While more waits, another worker is woken.
    """
    lanes = sorted({lane} if isinstance(lane, str) else set(lane))
    for _ in range(_TRIES):
        taken, more = _claim(lanes, worker[:80], now)
        if taken is not None:
            if more:
                wake(more)
            return taken
        if not more:
            return None
        time.sleep(0.01)  # what waits is locked by who stops it this moment
    return None


def _claim(lanes: list[str], worker: str, now: datetime) -> tuple[Claim | None, str | None]:
    """The claim, and a queue in which more waits."""
    with transaction.atomic(), connection.cursor() as cursor:
        for name in lanes:  # in order of names: two workers with the same queues never wait for each other
            cursor.execute(_STAND_IN_LINE, (_LOCK, _signed(crc32(name.encode()))))
        parameters: dict[str, Any] = {
            "lanes": lanes,
            "worker": worker,
            "now": now,
            "lease": uuid4(),
            "until": now + LEASE,
        }
        cursor.execute(CLAIM, parameters)
        row = cursor.fetchone()
        if row is None:
            return None, None
        more, *values = row
        if values[0] is None:
            return None, more
        claim = _from_row(values)
        _tell_begun([claim])
    return claim, more


def claim_takes(*, first: Claim, most: int, worker: str, now: datetime) -> tuple[Claim, ...]:
    """Up to `most` more takes of the request that `first` belongs to, for one lease each: they go through one forward.

    They differ in their seed alone, and were never tried: what ends a worker is tried again alone. The member is
    charged for each.
    """
    if most < 1 or not first.siblings or first.attempt > 1 or first.repeat > 1:
        return ()
    parameters: dict[str, Any] = {
        "first": first.video_id,
        "lane": first.lane,
        "most": most,
        "worker": worker[:80],
        "now": now,
        "until": now + LEASE,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM_TAKES, parameters)
        claims = [_from_row(row) for row in cursor.fetchall()]
        _tell_begun(claims)
    return tuple(claims)


def _from_row(row: Sequence[Any]) -> Claim:
    """`row` as `turns` reads it: two pairs of key and digest stand for the two files."""
    picture, picture_digest, style, style_digest, weight = row[18:23]
    values: list[Any] = [
        *row[:18],
        StoredFile(picture, picture_digest) if picture else None,
        StoredFile(style, style_digest) if style else None,
        1.0 if weight is None else weight,
        *row[23:],
    ]
    return Claim(*values)


def _tell_begun(claims: Sequence[Claim]) -> None:
    for claim in claims:
        transaction.on_commit(
            partial(progress.publish, claim.video, state="in_progress", total=claim.steps), robust=True
        )


def _signed(value: int) -> int:
    """PostgreSQL's integers have a sign."""
    return value - (1 << 32) if value >= 1 << 31 else value


def queue_name(lane: str) -> str:
    """The broker's name of a variant's queue."""
    return f"{settings.DEPLOYMENT}.render.{lane}"


def wake(lane: str) -> bool:
    """Wake a worker of the queue, unless a message that will do so is on its way. False when nothing was sent."""
    return progress.may_wake(lane) and _send(lane)


def _send(lane: str) -> bool:
    return enqueue.send("generation.wake", queue=queue_name(lane), lane=lane)


def wake_after_commit(lane: str) -> None:
    """Call in the transaction that queues something."""
    transaction.on_commit(partial(wake, lane), robust=True)


def note_expectation(*, lane: str, videos: Sequence[int], now: datetime) -> None:
    """Write down when these (row ids), just queued, will be finished as far as can be told: waits are held to that."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPECT, {"lane": lane, "videos": list(videos), "now": now})


def copy_deep_lines(*, now: datetime, deep: int = 500) -> list[str]:
    """Copy the line of each queue in which more than `deep` videos wait, so that polls need not count; which those are.

    The copies of the others fall away.
    """
    waiting = Video.objects.filter(state=VideoState.QUEUED).order_by()
    depths = waiting.values_list("variant__queue").annotate(count=Count("id"))
    lanes = [lane for lane, count in depths if count > deep]
    with transaction.atomic(), connection.cursor() as cursor:
        Place.objects.all().delete()
        for lane in lanes:
            cursor.execute(_COPY, {"lane": lane, "now": now})
    return lanes


def wake_waiting(*, now: datetime, after: timedelta = timedelta(seconds=15)) -> list[str]:
    """Wake the workers of every queue in which a video has waited too long: its message was lost, or is late."""
    waiting = Video.objects.filter(state=VideoState.QUEUED, queued_at__lt=now - after).exclude(
        retry_at__gt=now
    )
    lanes = waiting.values_list("variant__queue", flat=True).distinct()
    return [lane for lane in lanes if progress.may_sweep(lane) and _send(lane)]

"""Places in the queue, and how long they take: told from what was measured, never promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from core import clock
from generation import progress
from generation.progress import Step
from generation.queries.views import ClipView
from generation.states import VideoState

_PLACE = """
SELECT line.place, line.wait
FROM generation_video video
JOIN generation_modelvariant variant ON variant.id = video.variant_id
CROSS JOIN LATERAL generation_told(variant.queue, video.membership_id, %(now)s) line
WHERE video.id = %(video)s AND line.video_id = video.id
"""
_AHEAD = """
SELECT line.place, line.wait
FROM generation_modelvariant variant CROSS JOIN LATERAL generation_line(variant.queue, %(now)s, %(member)s) line
WHERE variant.id = %(variant)s AND line.video_id = 0
"""
_TOLD = """
SELECT video.public_id, extract(epoch FROM video.expected_at - video.created_at)::float8,
       extract(epoch FROM video.finished_at - video.created_at)::float8
FROM (
    SELECT video_id FROM generation_attempt WHERE "end" = 'finished' ORDER BY ended_at DESC LIMIT %(last)s
) latest
JOIN generation_video video ON video.id = latest.video_id AND video.expected_at IS NOT NULL
ORDER BY video.finished_at, video.id
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`position` counts from 1, the next to start; `seconds` until it starts.

    None before anything was measured, and while no worker is there.
    """

    position: int
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """Seconds from the request to the finished clip: as told when it was asked for, and as it was."""

    public_id: str
    predicted: float
    true: float


def waiting(clip: ClipView) -> Waiting | None:
    """A queued clip's place in its queue. One statement; None when it does not wait."""
    if clip.state != VideoState.QUEUED:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, {"video": clip.id, "now": clock.now()})
        row = cursor.fetchone()
    return Waiting(position=row[0], seconds=None if row[1] is None else round(row[1])) if row else None


def ahead(variant_id: int, membership_id: int = 0) -> Waiting:
    """What somebody who asks now would meet: that member, or a new one. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_AHEAD, {"variant": variant_id, "member": membership_id, "now": clock.now()})
        position, seconds = cursor.fetchone()
    return Waiting(position=position, seconds=None if seconds is None else round(seconds))


def calibration(last: int = 100) -> list[Told]:
    """What the last finished clips were told when they were asked for, and how long they took. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, {"last": last})
        return [Told(*row) for row in cursor.fetchall()]


def steps_of(views: Sequence[ClipView]) -> dict[str, Step]:
    """The last published step of each clip that is rendering. No statement."""
    return progress.latest(view.public_id for view in views if view.state == VideoState.IN_PROGRESS)

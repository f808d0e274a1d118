"""The read that clients repeat until a render has ended: one statement, no model instances.

`queries.py` hands it on; it stands alone because its SQL is written by hand. Polling asks for it every two
seconds for each open render, so that what it costs decides how many renders a web process can carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from generation.states import VideoState

# The place in the queue is asked for while a video waits, and only then. The three counts lean on the partial
# indexes of what is queued, of what is leased and of the attempts that finished.
_STATUS = """
SELECT v.id, v.public_id, v.code, v.state, v.prompt, v.completed_prompt, v.seed, v.width, v.height, v.seconds,
       v.cost, v.attempts_made, v.created_at, v.started_at, v.finished_at, v.error_code, v.error_sentence,
       variant.slug, master.native_width, master.native_height, master.native_frames, master.method,
       v.request, v.take, (SELECT count(*) FROM generation_video t WHERE t.request = v.request),
       v.starred_at IS NOT NULL, v.discarded_at IS NOT NULL, v.negative_prompt, v.ignored_words, v.relation,
       style.public_id, style.name, source.public_id, reference.public_id, master.windows,
       CASE WHEN v.state = 'queued' THEN (
           SELECT count(*) FROM generation_video o
           WHERE o.state = 'queued' AND (o.queued_at, o.id) < (v.queued_at, v.id)
             AND o.variant_id IN (SELECT s.id FROM generation_modelvariant s WHERE s.queue = variant.queue)
       ) END,
       CASE WHEN v.state = 'queued' THEN (
           SELECT count(*) FROM generation_video o
           WHERE o.state = 'in_progress'
             AND o.variant_id IN (SELECT s.id FROM generation_modelvariant s WHERE s.queue = variant.queue)
       ) END,
       CASE WHEN v.state = 'queued' THEN (
           SELECT extract(epoch FROM avg(latest.took)) FROM (
               SELECT a.ended_at - a.started_at AS took
               FROM generation_attempt a
               JOIN generation_video o ON o.id = a.video_id
               JOIN generation_modelvariant s ON s.id = o.variant_id
               WHERE a."end" = 'finished' AND s.queue = variant.queue
               ORDER BY a.ended_at DESC LIMIT 20
           ) latest
       ) END
FROM generation_video v
JOIN generation_modelvariant variant ON variant.id = v.variant_id
LEFT JOIN generation_master master ON master.video_id = v.id
LEFT JOIN generation_stylepreset style ON style.id = v.style_id
LEFT JOIN generation_video source ON source.id = v.source_id
LEFT JOIN generation_reference reference ON reference.id = v.reference_id
"""
_ONE = _STATUS + "WHERE v.public_id = %s AND v.membership_id = %s AND v.deleted_at IS NULL"
_PAGE = {  # by order, and by whether it follows something
    (ascending, follows): _STATUS
    + "WHERE v.membership_id = %s AND v.deleted_at IS NULL "
    + (f"AND (v.created_at, v.id) {'>' if ascending else '<'} (%s, %s) " if follows else "")
    + ("ORDER BY v.created_at, v.id " if ascending else "ORDER BY v.created_at DESC, v.id DESC ")
    + "LIMIT %s"
    for ascending in (True, False)
    for follows in (True, False)
}
_EDGE = "SELECT created_at, id FROM generation_video WHERE public_id = %s AND membership_id = %s"


@dataclass(slots=True)
class VideoStatus:
    """A video as its member's client sees it. `position` and `wait` (seconds) are there while it is queued.

    It is number `take` of the `takes` of its `request`. `style`, `source` and `reference` are public ids.
    """

    id: int
    public_id: str
    code: str
    state: str
    prompt: str
    completed_prompt: str
    seed: int
    width: int
    height: int
    seconds: int
    cost: int
    attempts_made: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error_code: str
    error_sentence: str
    variant_slug: str
    native_width: int | None
    native_height: int | None
    native_frames: int | None
    method: str | None
    request: str
    take: int
    takes: int
    starred: bool
    discarded: bool
    negative_prompt: str
    ignored_words: list[str]
    relation: str
    style: str | None
    style_name: str | None
    source: str | None
    reference: str | None
    windows: int | None
    queued_before: int | None
    running: int | None
    usual: Any

    @property
    def position(self) -> int | None:
        """Counts from 1, the next to start."""
        return None if self.queued_before is None else self.queued_before + 1

    @property
    def wait(self) -> int | None:
        """Seconds until it starts; None before anything was measured, and when it does not wait."""
        if self.usual is None or self.queued_before is None or self.running is None:
            return None
        return round(float(self.usual) * (self.queued_before + self.running))

    @property
    def is_open(self) -> bool:
        return self.state in (VideoState.QUEUED, VideoState.IN_PROGRESS)


def status(public_id: str, membership_id: int) -> VideoStatus | None:
    """A member's own video that is not deleted. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE, (public_id, membership_id))
        row = cursor.fetchone()
    return VideoStatus(*row) if row else None


def statuses(
    membership_id: int, *, limit: int, after: str | None = None, ascending: bool = False
) -> list[VideoStatus] | None:
    """A page of a member's videos by time of request. One statement, one more with `after` (a public id).

    None when `after` is not one of the member's videos; a deleted one still marks its place.
    """
    edge: tuple[Any, ...] = ()
    with connection.cursor() as cursor:
        if after is not None:
            cursor.execute(_EDGE, (after, membership_id))
            found = cursor.fetchone()
            if found is None:
                return None
            edge = found
        cursor.execute(_PAGE[ascending, after is not None], (membership_id, *edge, limit))
        return [VideoStatus(*row) for row in cursor.fetchall()]

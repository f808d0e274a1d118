"""The read that clients repeat until a render has ended: one statement, no model instances.

`queries.py` hands it on; it stands alone because its SQL is written by hand. Polling asks for it every two
seconds for each open render, so that what it costs decides how many renders a web process can carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from core import clock
from generation.states import VideoState

# Whoever waits stands in a line, which `generation_told` knows (migrations 0004 and 0005). It is asked for the queues
# in which the member waits, and for none when nothing does.
_LINE = """
WITH line AS MATERIALIZED (
    SELECT found.* FROM (
        SELECT DISTINCT o.membership_id, s.queue
        FROM generation_video o JOIN generation_modelvariant s ON s.id = o.variant_id
        WHERE o.membership_id = %(membership)s AND o.state = 'queued'{narrowed}
    ) mine CROSS JOIN LATERAL generation_told(mine.queue, mine.membership_id, %(now)s) found
)"""
_STATUS = """
SELECT v.id, v.public_id, v.code, v.state, v.prompt, v.completed_prompt, v.seed, v.width, v.height, v.seconds,
       v.fps, v.cost, v.attempts_made, v.created_at, v.started_at, v.finished_at, v.error_code, v.error_sentence,
       variant.slug, master.native_width, master.native_height, master.native_frames, master.method,
       v.request, v.take, (SELECT count(*) FROM generation_video t WHERE t.request = v.request),
       v.starred_at IS NOT NULL, v.discarded_at IS NOT NULL, v.negative_prompt, v.ignored_words, v.relation,
       style.public_id, style.name, source.public_id, reference.public_id, master.windows,
       line.place, line.wait
FROM generation_video v
JOIN generation_modelvariant variant ON variant.id = v.variant_id
LEFT JOIN generation_master master ON master.video_id = v.id
LEFT JOIN generation_stylepreset style ON style.id = v.style_id
LEFT JOIN generation_video source ON source.id = v.source_id
LEFT JOIN generation_reference reference ON reference.id = v.reference_id
LEFT JOIN line ON line.video_id = v.id
"""
_ONE = (
    _LINE.format(narrowed=" AND o.public_id = %(video)s")
    + _STATUS
    + "WHERE v.public_id = %(video)s AND v.membership_id = %(membership)s AND v.deleted_at IS NULL"
)
_PAGE = {  # by order, and by whether it follows something
    (ascending, follows): _LINE.format(narrowed="")
    + _STATUS
    + "WHERE v.membership_id = %(membership)s AND v.deleted_at IS NULL "
    + (f"AND (v.created_at, v.id) {'>' if ascending else '<'} (%(at)s, %(id)s) " if follows else "")
    + ("ORDER BY v.created_at, v.id " if ascending else "ORDER BY v.created_at DESC, v.id DESC ")
    + "LIMIT %(limit)s"
    for ascending in (True, False)
    for follows in (True, False)
}
_TAKES = (
    _LINE.format(narrowed="")
    + _STATUS
    + "WHERE v.request = %(request)s AND v.membership_id = %(membership)s AND v.deleted_at IS NULL ORDER BY v.take"
)
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
    fps: int
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
    position: int | None
    """Counts from 1, the next to start."""
    wait_seconds: float | None

    @property
    def wait(self) -> int | None:
        """Seconds until it starts; None when it does not wait, without a worker, and before anything was measured."""
        return None if self.wait_seconds is None else round(self.wait_seconds)

    @property
    def is_open(self) -> bool:
        return self.state in (VideoState.QUEUED, VideoState.IN_PROGRESS)


def status(public_id: str, membership_id: int) -> VideoStatus | None:
    """A member's own video that is not deleted. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE, {"video": public_id, "membership": membership_id, "now": clock.now()})
        row = cursor.fetchone()
    return VideoStatus(*row) if row else None


def statuses(
    membership_id: int, *, limit: int, after: str | None = None, ascending: bool = False
) -> list[VideoStatus] | None:
    """A page of a member's videos by time of request. One statement, one more with `after` (a public id).

    None when `after` is not one of the member's videos; a deleted one still marks its place.
    """
    values: dict[str, Any] = {"membership": membership_id, "limit": limit, "now": clock.now()}
    with connection.cursor() as cursor:
        if after is not None:
            cursor.execute(_EDGE, (after, membership_id))
            found = cursor.fetchone()
            if found is None:
                return None
            values["at"], values["id"] = found
        cursor.execute(_PAGE[ascending, after is not None], values)
        return [VideoStatus(*row) for row in cursor.fetchall()]


def takes(request: str, membership_id: int) -> list[VideoStatus]:
    """A member's takes of one request that are not deleted, in their order. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKES, {"request": request, "membership": membership_id, "now": clock.now()})
        return [VideoStatus(*row) for row in cursor.fetchall()]

"""What came from what: the clips around one clip, as a tree."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db import connection

from generation.states import Relation, VideoState

MOST_CLIPS: Final = 300
DEEPEST: Final = 64
"""Generations, up and down."""

# Two clips hang together where one names the other as its source, or starts from a picture that is a frame of it. Up
# from the clip to all that it comes from, then down from the roots to all that came from these. Sources are older than
# what comes from them, so there are no circles; every step stays with the member. Where there are too many, what the
# clip comes from is kept first.
_FAMILY: Final = """
WITH RECURSIVE up AS (
    SELECT id, source_id, reference_id, 0 AS depth FROM generation_video
    WHERE public_id = %(video)s AND membership_id = %(member)s AND deleted_at IS NULL
    UNION
    SELECT parent.id, parent.source_id, parent.reference_id, up.depth + 1
    FROM up
    LEFT JOIN generation_reference picture ON picture.id = up.reference_id
    JOIN generation_video parent
      ON parent.id IN (up.source_id, picture.source_id) AND parent.membership_id = %(member)s
    WHERE up.depth < %(deepest)s
), root AS (
    SELECT up.id FROM up LEFT JOIN generation_reference picture ON picture.id = up.reference_id
    WHERE (up.source_id IS NULL AND picture.source_id IS NULL) OR up.depth = %(deepest)s
), down AS (
    SELECT DISTINCT id, 0 AS depth FROM root
    UNION
    SELECT child.id, down.depth + 1
    FROM down CROSS JOIN LATERAL (
        SELECT video.id FROM generation_video video
        WHERE video.source_id = down.id AND video.membership_id = %(member)s
        UNION
        SELECT video.id FROM generation_reference picture
        JOIN generation_video video ON video.reference_id = picture.id
        WHERE picture.source_id = down.id AND video.membership_id = %(member)s
    ) child
    WHERE down.depth < 2 * %(deepest)s
), family AS (
    SELECT found.id, found.id IN (SELECT id FROM up) AS above, found.depth
    FROM (SELECT id, min(depth) AS depth FROM (SELECT id, 0 AS depth FROM up UNION ALL SELECT * FROM down) member
          GROUP BY id) found
    ORDER BY above DESC, found.depth, found.id LIMIT %(most)s
)
SELECT video.public_id, video.request, video.take, video.state, video.deleted_at IS NOT NULL,
       CASE WHEN video.deleted_at IS NULL THEN video.prompt ELSE '' END, variant.slug, variant.name, variant.stage,
       video.seed, video.width, video.height, video.seconds, video.created_at, video.starred_at IS NOT NULL,
       video.discarded_at IS NOT NULL, source.public_id, video.relation, pictured.public_id,
       CASE WHEN video.relation = 'again' THEN master.frames_sha256 = original.frames_sha256 END,
       video.public_id = %(video)s, 0
FROM family
JOIN generation_video video ON video.id = family.id
JOIN generation_modelvariant variant ON variant.id = video.variant_id
LEFT JOIN generation_video source ON source.id = video.source_id
LEFT JOIN generation_reference picture ON picture.id = video.reference_id
LEFT JOIN generation_video pictured ON pictured.id = picture.source_id
LEFT JOIN generation_master master ON master.video_id = video.id
LEFT JOIN generation_master original ON original.video_id = video.source_id
ORDER BY family.above DESC, family.depth, family.id
"""


@dataclass(frozen=True, slots=True)
class Kin:
    """A clip of the tree; one that was deleted keeps its place without its words.

    `source` is the clip that it comes from by `relation`, `frame_of` the one from whose frame it starts; either may
    be beyond the edge of the tree. `same_frames` says of a clip that was rendered again whether it came out the same
    bit for bit, None until both have rendered. `depth` counts from 0, the roots.
    """

    public_id: str
    request: str
    take: int
    state: VideoState
    deleted: bool
    prompt: str
    variant_slug: str
    variant_name: str
    stage: str
    seed: int
    width: int
    height: int
    seconds: int
    created_at: datetime
    starred: bool
    discarded: bool
    source: str | None
    relation: Relation | None
    frame_of: str | None
    same_frames: bool | None
    asked: bool
    depth: int

    @property
    def parent(self) -> str | None:
        return self.source or self.frame_of


@dataclass(frozen=True, slots=True)
class Lineage:
    """Each clip after its parent or a sibling's family, the older first. `whole` is False where some were left out."""

    clips: tuple[Kin, ...]
    whole: bool


def lineage(video: str, membership_id: int) -> Lineage | None:
    """The tree of a member's own clip that is not deleted: at most 300 clips, 64 generations. One statement."""
    asked: dict[str, str | int] = {
        "video": video,
        "member": membership_id,
        "deepest": DEEPEST,
        "most": MOST_CLIPS + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FAMILY, asked)
        rows = cursor.fetchall()
    if not rows:
        return None
    kin = [_kin(row) for row in rows[:MOST_CLIPS]]
    return Lineage(clips=_in_order(kin), whole=len(rows) <= MOST_CLIPS)


def _kin(row: tuple[object, ...]) -> Kin:
    made = Kin(*row)  # type: ignore[arg-type]  # columns in the order of the fields
    return replace(
        made, state=VideoState(made.state), relation=Relation(made.relation) if made.relation else None
    )


def _in_order(kin: list[Kin]) -> tuple[Kin, ...]:
    """Depth first, without recursion: a chain may be as long as it likes."""
    known = {clip.public_id for clip in kin}
    children: defaultdict[str | None, list[Kin]] = defaultdict(list)
    for clip in sorted(kin, key=lambda clip: (clip.created_at, clip.take), reverse=True):
        children[clip.parent if clip.parent in known else None].append(clip)
    waiting = [(clip, 0) for clip in children[None]]
    found = []
    while waiting:
        clip, depth = waiting.pop()
        found.append(replace(clip, depth=depth))
        waiting += [(child, depth + 1) for child in children[clip.public_id]]
    return tuple(found)

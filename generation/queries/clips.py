"""Clips, by id and by member."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from django.db.models import Count, Q

from generation.models import Video
from generation.queries.views import ClipView, clip_views, shown
from generation.states import VideoState

Part: TypeAlias = Literal["wall", "starred", "discarded", "all"]
PARTS: dict[Part, Q] = {
    "wall": Q(discarded_at=None),
    "starred": Q(starred_at__isnull=False),
    "discarded": Q(discarded_at__isnull=False),
    "all": Q(),
}


def clip(public_id: str) -> ClipView | None:
    """One clip, deleted or not. Two statements, one where it has no files."""
    row = shown().filter(public_id=public_id).first()
    return clip_views([row])[0] if row else None


def own_clip(public_id: str, membership_id: int) -> ClipView | None:
    """A member's own clip that is not deleted. Two statements, one where it has no files."""
    rows = shown().filter(membership_id=membership_id, deleted_at=None)
    row = rows.filter(public_id=public_id).first()
    return clip_views([row])[0] if row else None


def own_clips(public_ids: Sequence[str], membership_id: int) -> list[ClipView]:
    """Those of the named clips that are the member's and not deleted. Two statements."""
    rows = shown().filter(membership_id=membership_id, deleted_at=None)
    return clip_views(list(rows.filter(public_id__in=public_ids)))


def clips(ids: Iterable[int]) -> dict[int, ClipView]:
    """Clips by row id. Two statements."""
    return {view.id: view for view in clip_views(list(shown().filter(pk__in=list(ids))))}


def clips_of(
    membership_id: int,
    *,
    limit: int,
    after: str | None = None,
    order: Literal["asc", "desc"] = "desc",
    state: VideoState | None = None,
    part: Part = "wall",
) -> list[ClipView] | None:
    """A page of a member's clips by time of request, following `after` (a public id). At most three statements.

    The wall is all but what was discarded. None when `after` is not one of the member's clips.
    """
    rows = shown().filter(membership_id=membership_id)
    if after is not None:
        edge = (
            Video.objects.filter(membership_id=membership_id, public_id=after)
            .values_list("created_at", "id")
            .first()
        )
        if edge is None:
            return None
        at, pk = edge
        rows = rows.filter(
            Q(created_at__lt=at) | Q(created_at=at, id__lt=pk)
            if order == "desc"
            else Q(created_at__gt=at) | Q(created_at=at, id__gt=pk)
        )
    if state is not None:
        rows = rows.filter(state=state)
    sign = "-" if order == "desc" else ""
    rows = rows.filter(PARTS[part], deleted_at=None).order_by(f"{sign}created_at", f"{sign}id")
    return clip_views(list(rows[:limit]))


def takes(request: str, membership_id: int) -> list[ClipView]:
    """The takes of a member's request that are not deleted, in order, discarded ones too. Two statements."""
    rows = shown().filter(request=request, membership_id=membership_id, deleted_at=None)
    return clip_views(list(rows.order_by("take")))


def counts(programme_id: int) -> dict[str, int]:
    """How many videos are in each state. One statement."""
    rows = (
        Video.objects.filter(membership__programme_id=programme_id)
        .values_list("state")
        .annotate(n=Count("id"))
    )
    return dict.fromkeys(VideoState.values, 0) | dict(rows.order_by())


def watcher_may_see(public_id: str, user_id: int) -> bool:
    """Whether a signed-in person may follow this video's progress. One statement."""
    return Video.objects.filter(public_id=public_id, membership__user_id=user_id, deleted_at=None).exists()

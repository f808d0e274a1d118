"""A member's wall by requests: the takes that were asked for together hang together."""

from __future__ import annotations

from django.db.models import Q

from generation.models import Video
from generation.queries.clips import PARTS, Part
from generation.queries.views import ClipView, clip_views, shown
from generation.rules import MOST_TAKES


def stacks_of(
    membership_id: int, *, limit: int, after: str | None = None, part: Part = "wall"
) -> list[list[ClipView]] | None:
    """A page of a member's requests, the latest first, each with its takes in that part of the wall, in order.

    Follows `after` (a request's id); None when that is not one of the member's. At most four statements.
    """
    mine = Video.objects.filter(membership_id=membership_id)
    rows = mine.filter(PARTS[part], deleted_at=None)
    if after is not None:
        edge = mine.filter(request=after).order_by("id").values_list("created_at", "id").first()
        if edge is None:
            return None
        at, pk = edge
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=pk))
    # The takes of a request stand together: as many rows as `limit` requests can have at most.
    latest = rows.order_by("-created_at", "-id").values_list("request", flat=True)
    requests = list(dict.fromkeys(latest[: limit * MOST_TAKES]))[:limit]
    if not requests:
        return []
    takes = clip_views(
        list(shown().filter(PARTS[part], request__in=requests, deleted_at=None).order_by("take"))
    )
    return [[take for take in takes if take.request == request] for request in requests]


def watched_takes(request: str, user_id: int) -> list[str]:
    """Public ids of the takes whose progress a signed-in person may follow. One statement."""
    rows = Video.objects.filter(request=request, membership__user_id=user_id, deleted_at=None)
    return list(rows.order_by("take").values_list("public_id", flat=True))

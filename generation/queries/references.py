"""A member's pictures to start from. Nobody else's are ever found here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, ExpressionWrapper, Q

from generation.look_rules import MOST_FRAME_TRIES
from generation.models import Reference

MEDIA_TYPE = "image/png"


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """`source` is the public id of the clip that it is a frame of, `frame` which of its native frames (from 0).

    A frame has digest and length once a worker has made it.
    """

    id: int
    public_id: str
    sha256: str | None
    bytes: int | None
    width: int
    height: int
    source: str | None
    frame: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReferenceFile:
    """What delivery needs to hand a picture to its artist; `marked` with the number of their own copy, if it is the
    frame of a clip, and `failed` where that could not be made."""

    public_id: str
    storage_key: str
    sha256: str
    bytes: int
    marked: bool
    failed: bool
    media_type: str = MEDIA_TYPE


def own_references(membership_id: int, *, limit: int, after: str | None = None) -> list[ReferenceView] | None:
    """A page of a member's pictures, the latest first, following `after` (a public id). One statement, two with it.

    None when `after` is not one of theirs; a removed one still marks its place.
    """
    mine = Reference.objects.filter(membership_id=membership_id)
    rows = mine.filter(removed_at=None)
    if after is not None:
        edge = mine.filter(public_id=after).values_list("created_at", "id").first()
        if edge is None:
            return None
        at, pk = edge
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=pk))
    rows = rows.select_related("source").order_by("-created_at", "-id")
    return [reference_view(row) for row in rows[:limit]]


def own_reference(public_id: str, membership_id: int) -> ReferenceView | None:
    """A member's own picture that is not removed. One statement."""
    rows = Reference.objects.filter(membership_id=membership_id, removed_at=None).select_related("source")
    row = rows.filter(public_id=public_id).first()
    return reference_view(row) if row else None


def reference_file(public_id: str, membership_id: int, *, now: datetime) -> ReferenceFile | None:
    """Where a member's own picture lies. One statement."""
    rows = Reference.objects.filter(public_id=public_id, membership_id=membership_id, removed_at=None)
    idle = Q(lease_token=None) | Q(retry_at__lte=now)
    marked, failed = (
        ExpressionWrapper(what, output_field=BooleanField())
        for what in (
            Q(frame__isnull=False),
            Q(made_at=None, tries__gte=MOST_FRAME_TRIES) & idle,
        )
    )
    found = rows.values_list("public_id", "storage_key", "sha256", "bytes", marked, failed).first()
    return ReferenceFile(*found) if found else None


def reference_view(row: Reference) -> ReferenceView:
    return ReferenceView(
        id=row.pk,
        public_id=row.public_id,
        sha256=row.sha256 or None,
        bytes=row.bytes or None,
        width=row.width,
        height=row.height,
        source=row.source.public_id if row.source else None,
        frame=row.frame,
        created_at=row.created_at,
    )

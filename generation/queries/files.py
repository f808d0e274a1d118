"""Which clip a file is, and whether it is one of ours."""

from __future__ import annotations

from generation.models import Reference, Rendition, RenditionKind


def is_ours(sha256: str) -> bool:
    """Whether a file with that digest was made here, for whomever. Two statements at most."""
    rows = Rendition.objects.filter(sha256=sha256)
    return rows.exists() or Reference.objects.filter(sha256=sha256).exclude(native_key="").exists()


def own_clip_of_file(sha256: str, membership_id: int) -> str | None:
    """The public id of the member's clip whose video has that digest and is not deleted. One statement."""
    rows = Rendition.objects.filter(
        sha256=sha256,
        kind=RenditionKind.MP4,
        master__video__membership_id=membership_id,
        master__video__deleted_at=None,
    )
    return rows.values_list("master__video__public_id", flat=True).first()

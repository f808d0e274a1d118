"""What the gallery, the office and delivery read. A grant counts when it is asked, never by a timer's word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Q

from generation import queries as generation
from generation.queries import ClipView
from review.models import GrantedRendition, ReleaseGrant
from review.queries.paging import after_row
from review.states import GrantState

Cover = Literal["active", "ended", "none"]


@dataclass(frozen=True, slots=True)
class GrantedView:
    """A public file. `sha256` is the granted one, and the file's ETag."""

    sha256: str
    storage_key: str
    media_type: str
    bytes: int


@dataclass(frozen=True, slots=True)
class GrantView:
    """A clip on view. Prompt, seed and variant are there when the artist made them public."""

    public_id: str
    title: str
    artist_name: str
    code: str
    variant_name: str | None
    prompt: str | None
    seed: int | None
    active_from: datetime
    seconds: int
    fps: int
    width: int
    height: int
    mp4: GrantedView | None
    poster: GrantedView | None


@dataclass(frozen=True, slots=True)
class RevokedNotice:
    """What remains of a share: when it ended and who ended it (`artist`, `operator`, or nobody: its time was up)."""

    public_id: str
    at: datetime
    by_role: str | None


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant for the office."""

    public_id: str
    video: str
    code: str
    title: str
    artist_name: str
    state: GrantState
    active_from: datetime
    revoked_at: datetime | None
    revoked_by_role: str
    revoked_reason: str


@dataclass(frozen=True, slots=True)
class GrantedCopy:
    """The stored file behind a share's address, with the digest it has now."""

    rendition_id: int
    rendition: str
    master_id: int
    artist_id: int
    membership_id: int
    sha256: str
    bytes: int
    media_type: str
    storage_key: str
    removed: bool
    title: str
    artist_name: str


def active_now(now: datetime) -> Q:
    return Q(state=GrantState.ACTIVE, active_from__lte=now) & (Q(expires_at=None) | Q(expires_at__gt=now))


def public_grants(
    *, now: datetime, limit: int, after: str | None = None, programme_id: int | None = None
) -> list[GrantView]:
    """What is on view, newest first, following `after` (a share's public id).

    Four statements, one more with `after`.
    """
    rows = ReleaseGrant.objects.filter(active_now(now)).select_related("submission")
    if programme_id is not None:
        rows = rows.filter(submission__membership__programme_id=programme_id)
    return _views(list(after_row(rows, after, key="active_from", descending=True)[:limit]))


def public_grant(public_id: str, *, now: datetime) -> GrantView | RevokedNotice | None:
    """What a share's address shows: the clip, the notice that it is gone, or None. At most four statements."""
    row = ReleaseGrant.objects.select_related("submission").filter(public_id=public_id).first()
    if row is None or row.active_from > now:
        return None
    if row.state == GrantState.REVOKED and row.revoked_at is not None:
        return RevokedNotice(public_id=public_id, at=row.revoked_at, by_role=row.revoked_by_role)
    if row.expires_at is not None and row.expires_at <= now:
        return RevokedNotice(public_id=public_id, at=row.expires_at, by_role=None)
    return _views([row])[0] if row.state == GrantState.ACTIVE else None


def grants(
    programme_id: int, *, limit: int, after: str | None = None, state: GrantState | None = None
) -> list[GrantRow]:
    """A programme's grants for the office, newest first. One statement, one more with `after`."""
    rows = ReleaseGrant.objects.filter(submission__membership__programme_id=programme_id)
    if state is not None:
        rows = rows.filter(state=state)
    rows = rows.select_related("submission__membership__user", "video")
    return [grant_row(row) for row in after_row(rows, after, key="active_from", descending=True)[:limit]]


def granted_copy(share: str, kind: str) -> GrantedCopy | None:
    """The file of `kind` that a share lists, whether or not it may be served. One statement."""
    listed = GrantedRendition.objects.filter(grant__public_id=share, rendition__kind=kind)
    row = listed.select_related("rendition", "grant__submission__membership__user").order_by("id").first()
    if row is None:
        return None
    file, wish = row.rendition, row.grant.submission
    return GrantedCopy(
        rendition_id=file.pk,
        rendition=file.public_id,
        artist_id=wish.membership.user_id,
        membership_id=wish.membership_id,
        master_id=file.master_id,
        sha256=file.sha256,
        bytes=file.bytes,
        media_type=file.media_type,
        storage_key=file.storage_key,
        removed=file.removed_at is not None,
        title=wish.title,
        artist_name=wish.membership.user.public_name,
    )


def covers(share: str, *, rendition_id: int, sha256: str, now: datetime) -> Cover:
    """Whether that very file may be shown at a share's address now: its grant is active, has ended, or never
    covered it. One statement."""
    listed = GrantedRendition.objects.filter(grant__public_id=share, rendition_id=rendition_id, sha256=sha256)
    row = listed.select_related("grant").first()
    if row is None or row.grant.active_from > now:
        return "none"
    grant = row.grant
    if grant.state == GrantState.REVOKED or (grant.expires_at is not None and grant.expires_at <= now):
        return "ended"
    return "active" if grant.state == GrantState.ACTIVE else "none"


@dataclass(frozen=True, slots=True)
class Approval:
    """What became of the approval of a very file. `ended_at` is None where it was not on view yet, or is."""

    share: str
    active: bool
    ended_at: datetime | None


def approval_of(sha256: str, *, now: datetime) -> Approval | None:
    """Whether a file with that digest is approved now, or was. One statement."""
    listed = GrantedRendition.objects.filter(sha256=sha256, grant__active_from__lte=now)
    rows = [row.grant for row in listed.select_related("grant").order_by("-grant__active_from")]
    found = [_approval(row, now) for row in rows]
    return next((one for one in found if one.active), found[0] if found else None)


def _approval(row: ReleaseGrant, now: datetime) -> Approval:
    over = row.expires_at is not None and row.expires_at <= now
    active = row.state == GrantState.ACTIVE and not over
    return Approval(row.public_id, active, None if active else row.revoked_at or row.expires_at)


def _views(rows: Sequence[ReleaseGrant]) -> list[GrantView]:
    clips = generation.clips(row.video_id for row in rows)
    files: dict[int, dict[str, GrantedView]] = {row.pk: {} for row in rows}
    for listed in GrantedRendition.objects.filter(grant_id__in=files).select_related("rendition"):
        file = listed.rendition
        files[listed.grant_id][file.kind] = GrantedView(
            sha256=listed.sha256, storage_key=file.storage_key, media_type=file.media_type, bytes=file.bytes
        )
    return [_view(row, clips[row.video_id], files[row.pk]) for row in rows]


def _view(row: ReleaseGrant, clip: ClipView, files: dict[str, GrantedView]) -> GrantView:
    wish = row.submission
    return GrantView(
        public_id=row.public_id,
        title=wish.title,
        artist_name=clip.artist_name,
        code=clip.code,
        variant_name=clip.variant_name if wish.show_variant else None,
        prompt=clip.prompt if wish.show_prompt else None,
        seed=clip.seed if wish.show_seed else None,
        active_from=row.active_from,
        seconds=clip.seconds,
        fps=clip.fps,
        width=clip.width,
        height=clip.height,
        mp4=files.get("mp4"),
        poster=files.get("poster"),
    )


def grant_row(row: ReleaseGrant) -> GrantRow:
    """Of a grant loaded with its video and the submission's person."""
    return GrantRow(
        public_id=row.public_id,
        video=row.video.public_id,
        code=row.video.code,
        title=row.submission.title,
        artist_name=row.submission.membership.user.public_name,
        state=GrantState(row.state),
        active_from=row.active_from,
        revoked_at=row.revoked_at,
        revoked_by_role=row.revoked_by_role,
        revoked_reason=row.revoked_reason,
    )

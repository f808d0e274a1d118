"""How things read on the wire: OpenAI's types first, ours as further members. Times are Unix seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from generation.progress import Step
from generation.queries import VariantView
from generation.queries.characters import CharacterView
from generation.queries.references import ReferenceView
from generation.queries.styles import StyleView
from generation.states import VideoState
from generation.status import VideoStatus
from programme.queries import MembershipView, QuotaView
from review.queries import (
    CaseView,
    DecisionView,
    GrantRow,
    LeaseView,
    PolicyView,
    QueueEntry,
    ReasonView,
    ShareState,
    SubmissionView,
)

# OpenAI's clients stop polling at any other word: a stopped render is `failed`, and its error says that it was stopped.
_STATUS = {VideoState.CANCELLED: "failed"}
_PRIVATE = ShareState()


def video(row: VideoStatus, *, share: ShareState = _PRIVATE, step: Step | None = None) -> dict[str, Any]:
    """`progress` is a percentage; `seconds` is a string, as in OpenAI's type."""
    return {
        "id": row.public_id,
        "object": "video",
        "model": row.variant_slug,
        "status": _STATUS.get(VideoState(row.state), row.state),
        "progress": _percent(row, step),
        "created_at": stamp(row.created_at),
        "completed_at": stamp(row.finished_at) if row.state == VideoState.COMPLETED else None,
        "expires_at": None,
        "prompt": row.prompt,
        "size": f"{row.width}x{row.height}",
        "seconds": str(row.seconds),
        "remixed_from_video_id": None,
        "error": {"code": row.error_code, "message": row.error_sentence} if row.error_code else None,
        "completed_prompt": row.completed_prompt or None,
        "seed": row.seed,
        "code": row.code,
        "queue": None if row.position is None else {"position": row.position, "eta_seconds": row.wait},
        "native": _native(row),
        "quota": _quota(row),
        "share": share_of(share),
    }


def _percent(row: VideoStatus, step: Step | None) -> int:
    if row.state == VideoState.COMPLETED:
        return 100
    return step.percent if step and row.state == VideoState.IN_PROGRESS else 0


def _native(row: VideoStatus) -> dict[str, Any] | None:
    """What the model itself made, and how it became the file."""
    if row.method is None:
        return None
    return {
        "size": f"{row.native_width}x{row.native_height}",
        "frames": row.native_frames,
        "method": row.method,
    }


def _quota(row: VideoStatus) -> dict[str, int]:
    """Seconds of the day's allowance: held while it is open, then charged or given back."""
    charged = row.cost if row.state == VideoState.COMPLETED else 0
    reserved = row.cost if row.is_open else 0
    return {"reserved": reserved, "charged": charged, "refunded": row.cost - charged - reserved}


def share_of(share: ShareState) -> dict[str, Any]:
    """`id` and `url` are the share's, once there was one; `reasons` and `facts` are the latest decision's."""
    decision = share.decision
    wish = share.wish
    return {
        "state": str(share.state),
        "id": share.grant,
        "url": share_url(share.grant) if share.grant else None,
        "title": wish.title if wish else None,
        "note": wish.note if wish else None,
        "show_prompt": wish.show_prompt if wish else None,
        "show_seed": wish.show_seed if wish else None,
        "show_variant": wish.show_variant if wish else None,
        "submission": share.submission,
        "submitted_at": stamp(share.submitted_at),
        "due_at": stamp(share.due_at),
        "reasons": [{"code": reason.code, "title": reason.title} for reason in decision.reasons]
        if decision
        else [],
        "facts": decision.facts if decision else None,
        "decided_at": stamp(decision.at) if decision else None,
        "policy_version": decision.policy_number if decision else None,
        "revoked_at": stamp(share.revoked_at),
        "revoked_by": share.revoked_by_role,
        "revoked_reason": share.revoked_reason,
    }


def share_url(grant: str) -> str:
    return f"{settings.BASE_URL}/s/{grant}"


def stamp(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def listing(rows: list[dict[str, Any]], *, has_more: bool, key: str = "id") -> dict[str, Any]:
    """A page in OpenAI's shape; all five members are always there. The next page follows `last_id`."""
    return {
        "object": "list",
        "data": rows,
        "first_id": rows[0][key] if rows else None,
        "last_id": rows[-1][key] if rows else None,
        "has_more": has_more,
    }


def model(variant: VariantView) -> dict[str, Any]:
    """OpenAI's model object, and what may be asked of it; the first of each list is what is taken unasked."""
    return {
        "id": variant.slug,
        "object": "model",
        "created": 0,
        "owned_by": "private-view",
        "name": variant.name,
        "description": variant.description,
        "sizes": list(variant.sizes),
        "seconds": [str(length) for length in variant.lengths],
        "fps": variant.fps,
        "steps": variant.steps,
        "cost_per_second": variant.cost_per_second,
    }


def style(row: StyleView) -> dict[str, Any]:
    """A way to render that the member may name as `style`; `own` is theirs alone."""
    return {
        "id": row.public_id,
        "object": "style",
        "name": row.name,
        "description": row.description,
        "template": row.template,
        "negative_prompt": row.negative_prompt or None,
        "guidance": row.guidance,
        "adapter": {"id": row.adapter, "name": row.adapter_name, "weight": row.adapter_weight}
        if row.adapter
        else None,
        "own": row.own,
        "created_at": stamp(row.created_at),
    }


def reference(row: ReferenceView) -> dict[str, Any]:
    """A picture that a clip can start from; `video` and `frame` where it is one of an own clip."""
    return {
        "id": row.public_id,
        "object": "reference",
        "sha256": row.sha256,
        "bytes": row.bytes,
        "size": f"{row.width}x{row.height}",
        "video": row.source,
        "frame": row.frame,
        "created_at": stamp(row.created_at),
    }


def character(row: CharacterView) -> dict[str, Any]:
    """As OpenAI's clients read it, and its pictures; a clip starts from the first."""
    return {
        "id": row.public_id,
        "object": "video.character",
        "name": row.name,
        "created_at": stamp(row.created_at),
        "pictures": [reference(picture) for picture in row.pictures],
    }


def submission(row: SubmissionView) -> dict[str, Any]:
    """One wish to share, as its artist reads it."""
    return {
        "id": row.public_id,
        "object": "share.submission",
        "video": row.video,
        "state": str(row.state),
        "title": row.wish.title,
        "note": row.wish.note,
        "show_prompt": row.wish.show_prompt,
        "show_seed": row.wish.show_seed,
        "show_variant": row.wish.show_variant,
        "created_at": stamp(row.created_at),
        "due_at": stamp(row.due_at),
        "closed_at": stamp(row.closed_at),
        "decision": decision(row.decision) if row.decision else None,
    }


def grant(row: GrantRow) -> dict[str, Any]:
    """A share as the office sees it."""
    return {
        "id": row.public_id,
        "object": "share",
        "url": share_url(row.public_id),
        "state": str(row.state),
        "video": row.video,
        "code": row.code,
        "title": row.title,
        "artist": row.artist_name,
        "active_from": stamp(row.active_from),
        "revoked_at": stamp(row.revoked_at),
        "revoked_by": row.revoked_by_role or None,
        "revoked_reason": row.revoked_reason or None,
    }


def decision(row: DecisionView) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "object": "review.decision",
        "outcome": str(row.outcome),
        "reasons": [{"code": reason.code, "title": reason.title} for reason in row.reasons],
        "facts": row.facts,
        "decided_at": stamp(row.at),
        "policy_version": row.policy_number,
    }


def queue_entry(row: QueueEntry) -> dict[str, Any]:
    holder = row.holder
    return {
        "id": row.task,
        "object": "review.task",
        "case": row.case,
        "title": row.title,
        "artist": row.artist_name,
        "seconds": str(row.seconds),
        "opened_at": stamp(row.opened_at),
        "due_at": stamp(row.due_at),
        "overdue": row.overdue,
        "held_by": {"name": holder.name, "until": stamp(holder.until), "me": holder.is_me}
        if holder
        else None,
    }


def lease(row: LeaseView) -> dict[str, Any]:
    """`lease_token` proves that the case is yours; activity prolongs until `limit_at` at the latest."""
    return {
        "object": "review.lease",
        "case": row.case,
        "task": row.task,
        "lease_token": str(row.token),
        "started_at": stamp(row.started_at),
        "expires_at": stamp(row.expires_at),
        "limit_at": stamp(row.limit_at),
        "due_at": stamp(row.due_at),
    }


def case(row: CaseView) -> dict[str, Any]:
    """A case for the reviewer who holds it or has decided it."""
    clip = row.clip
    return {
        "id": row.public_id,
        "object": "review.case",
        "state": str(row.state),
        "title": row.wish.title,
        "note": row.wish.note,
        "show_prompt": row.wish.show_prompt,
        "show_seed": row.wish.show_seed,
        "show_variant": row.wish.show_variant,
        "artist": clip.artist_name,
        "clip": {
            "code": clip.code,
            "model": clip.variant_slug,
            "size": clip.size,
            "seconds": str(clip.seconds),
            "prompt": clip.prompt,
            "completed_prompt": clip.completed_prompt or None,
            "seed": clip.seed,
            "frames_sha256": clip.master.frames_sha256 if clip.master else None,
        },
        "opened_at": stamp(row.opened_at),
        "due_at": stamp(row.due_at),
        "lease": lease(row.lease) if row.lease else None,
        "decisions": [decision(made) for made in row.decisions],
        "policy": policy(row.policy) if row.policy else None,
    }


def policy(row: PolicyView) -> dict[str, Any]:
    """`reasons` may be given for a refusal; those under `never` are published as never counting."""
    return {
        "object": "policy",
        "version": row.number,
        "published_at": stamp(row.published_at),
        "text": row.text,
        "reasons": [_reason(reason) for reason in row.reasons],
        "never": [_reason(reason) for reason in row.never],
    }


def _reason(row: ReasonView) -> dict[str, str]:
    return {"code": row.code, "title": row.title, "explanation": row.explanation}


def membership(row: MembershipView) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "state": str(row.state),
        "programme": {
            "id": row.programme.public_id,
            "name": row.programme.name,
            "timezone": row.programme.timezone,
        },
        "cohort": row.cohort_name,
        "terms": {"version": row.terms_current, "accepted": row.terms_accepted},
    }


def quota(row: QuotaView) -> dict[str, Any]:
    """Seconds of clip in the day that ends at `resets_at`; what is reserved is neither used nor left."""
    return {
        "limit": row.limit,
        "reserved": row.reserved,
        "used": row.used,
        "left": row.left,
        "resets_at": stamp(row.resets_at),
    }

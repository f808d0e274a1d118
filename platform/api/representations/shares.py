"""Wishes to share, shares, and the review that stands between."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from api.representations.lists import stamp
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

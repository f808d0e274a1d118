"""All that a clip was made with, to be taken along and to be asked for again (`rules.order_from_settings`)."""

from __future__ import annotations

from typing import Any

from generation import look_rules
from generation.models import Adapter, Attempt, Master, Reference, StylePreset, Video
from generation.rules import SETTINGS, told_checkpoint


def settings(video: str, membership_id: int) -> dict[str, Any] | None:
    """The settings of a member's own clip that is not deleted, as JSON's types. One statement.

    The keys are always all there, in this order. What is not known yet, or was not used, is null.
    """
    related = ("variant", "style", "adapter", "reference__source", "source", "master__attempt")
    rows = Video.objects.filter(membership_id=membership_id, deleted_at=None).select_related(*related)
    row = rows.filter(public_id=video).first()
    if row is None:
        return None
    master: Master | None = getattr(row, "master", None)
    return {
        "schema": SETTINGS,
        "clip": row.public_id,
        "code": row.code,
        "request": row.request,
        "take": row.take,
        **_words(row),
        "seed": row.seed,
        "model": row.variant.slug,
        "checkpoint": _checkpoint(row, master),
        "steps": row.steps,
        "guidance": row.guidance,
        "size": f"{row.width}x{row.height}",
        "seconds": row.seconds,
        "fps": row.fps,
        "codec": row.variant.codec,
        "style": _style(row, row.style) if row.style else None,
        "adapter": _adapter(row.adapter, row.adapter_weight) if row.adapter else None,
        "reference": _reference(row.reference) if row.reference else None,
        "source": row.source.public_id if row.source else None,
        "relation": row.relation or None,
        "native": _native(master) if master else None,
        "frames_sha256": master.frames_sha256 if master else None,
        "worker": _worker(master.attempt) if master else None,
        "requested_at": row.created_at.isoformat(),
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
    }


def _words(row: Video) -> dict[str, Any]:
    return {
        "prompt": row.prompt,
        "styled_prompt": row.styled_prompt or None,
        "earlier_prompt": row.earlier_prompt or None,
        "completed_prompt": row.completed_prompt or None,
        "ignored_words": list(row.ignored_words),
        "negative_prompt": row.negative_prompt or None,
    }


def _checkpoint(row: Video, master: Master | None) -> dict[str, Any]:
    """The one that was used; before that the variant's of today, by name alone."""
    if master is None:
        return {"name": told_checkpoint(row.variant.backend, row.variant.checkpoint), "sha256": None}
    return {"name": master.attempt.model, "sha256": master.attempt.checkpoint_digest or None}


def _style(row: Video, style: StylePreset) -> dict[str, Any]:
    """The style by name; its parts as they were used, null where it has been changed since."""
    same_words = style.template.replace(look_rules.PLACE, row.prompt) == row.styled_prompt
    negative = style.negative_prompt.strip().rstrip(",")
    same_negative = (
        not negative or row.negative_prompt == negative or row.negative_prompt.startswith(f"{negative}, ")
    )
    return {
        "id": style.public_id,
        "name": style.name,
        "template": style.template if same_words else None,
        "negative_prompt": negative if same_negative else None,
    }


def _adapter(adapter: Adapter, weight: float | None) -> dict[str, Any]:
    return {"id": adapter.public_id, "name": adapter.name, "sha256": adapter.sha256, "weight": weight}


def _reference(picture: Reference) -> dict[str, Any]:
    return {
        "id": picture.public_id,
        "sha256": picture.sha256,
        "source": picture.source.public_id if picture.source else None,
        "frame": picture.frame,
    }


def _native(master: Master) -> dict[str, Any]:
    return {
        "width": master.native_width,
        "height": master.native_height,
        "frames": master.native_frames,
        "windows": master.windows,
        "method": master.method,
    }


def _worker(attempt: Attempt) -> dict[str, Any]:
    return {"kind": attempt.worker_kind or None, "batch": attempt.batch, "rung": attempt.rung or None}

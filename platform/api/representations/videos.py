"""Renders, and the clips around them."""

from __future__ import annotations

from typing import Any

from api.representations.lists import stamp
from api.representations.shares import share_of
from generation.progress import Step
from generation.queries import VariantView
from generation.queries.kept import HitRates
from generation.queries.lineage import Lineage
from generation.rules import by_area
from generation.states import Relation, VideoState
from generation.status import VideoStatus
from review.queries import ShareState

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
        "fps": row.fps,
        "remixed_from_video_id": row.source if row.relation == Relation.REMIX else None,
        "error": {"code": row.error_code, "message": row.error_sentence} if row.error_code else None,
        "completed_prompt": row.completed_prompt or None,
        "ignored_words": row.ignored_words,
        "negative_prompt": row.negative_prompt or None,
        "style": {"id": row.style, "name": row.style_name} if row.style else None,
        "seed": row.seed,
        "request": {"id": row.request, "take": row.take, "takes": row.takes},
        "source": {"id": row.source, "relation": row.relation} if row.source else None,
        "input_reference": row.reference,
        "choice": "starred" if row.starred else "discarded" if row.discarded else None,
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
        "windows": row.windows,
        "method": row.method,
    }


def _quota(row: VideoStatus) -> dict[str, int]:
    """Seconds of the day's allowance: held while it is open, then charged or given back."""
    charged = row.cost if row.state == VideoState.COMPLETED else 0
    reserved = row.cost if row.is_open else 0
    return {"reserved": reserved, "charged": charged, "refunded": row.cost - charged - reserved}


def model(variant: VariantView) -> dict[str, Any]:
    """OpenAI's model object, what may be asked of it, and what is taken unasked."""
    return {
        "id": variant.slug,
        "object": "model",
        "created": 0,
        "owned_by": "private-view",
        "name": variant.name,
        "description": variant.description,
        "sizes": sorted(variant.sizes, key=by_area),
        "seconds": [str(length) for length in sorted(variant.lengths)],
        "rates": sorted(variant.rates),
        "defaults": {
            "size": variant.sizes[0],
            "seconds": str(variant.lengths[0]),
            "fps": variant.rates[0],
        },
        "fps": variant.rates[0],
        "steps": variant.steps,
        "cost_per_second": variant.cost_per_second,
        "stage": str(variant.stage),
        "images": variant.images,
        "adapters": variant.adapters,
    }


def lineage(tree: Lineage) -> dict[str, Any]:
    """Each clip right after its parent, or after a sibling's family; `depth` counts from 0."""
    return {
        "object": "video.lineage",
        "whole": tree.whole,
        "data": [
            {
                "id": kin.public_id,
                "depth": kin.depth,
                "asked": kin.asked,
                "deleted": kin.deleted,
                "status": _STATUS.get(kin.state, str(kin.state)),
                "model": kin.variant_slug,
                "prompt": kin.prompt or None,
                "seed": kin.seed,
                "size": f"{kin.width}x{kin.height}",
                "seconds": str(kin.seconds),
                "request": {"id": kin.request, "take": kin.take},
                "source": {"id": kin.source, "relation": kin.relation} if kin.source else None,
                "frame_of": kin.frame_of,
                "same_frames": kin.same_frames,
                "choice": "starred" if kin.starred else "discarded" if kin.discarded else None,
                "created_at": stamp(kin.created_at),
            }
            for kin in tree.clips
        ],
    }


def hit_rates(rates: HitRates) -> dict[str, Any]:
    """`kept` of the `made` clips, by model and by style; a style without an id stands for none."""
    return {
        "object": "hit_rates",
        "models": [{"model": rate.key, "kept": rate.kept, "made": rate.made} for rate in rates.variants],
        "styles": [
            {"style": rate.key or None, "name": rate.name or None, "kept": rate.kept, "made": rate.made}
            for rate in rates.styles
        ],
    }

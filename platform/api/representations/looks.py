"""Styles, pictures and characters."""

from __future__ import annotations

from typing import Any

from api.representations.lists import stamp
from generation.queries.characters import CharacterView
from generation.queries.references import ReferenceView
from generation.queries.styles import StyleView


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

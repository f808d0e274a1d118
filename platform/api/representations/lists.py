"""Times, and pages of lists."""

from __future__ import annotations

from datetime import datetime
from typing import Any


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

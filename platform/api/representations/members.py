"""Who asks, and what is left of their day."""

from __future__ import annotations

from typing import Any

from api.representations.lists import stamp
from programme.queries import MembershipView, QuotaView


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

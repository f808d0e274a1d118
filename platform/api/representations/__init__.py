"""How things read on the wire: OpenAI's types first, ours as further members. Times are Unix seconds."""

from api.representations.checks import verification
from api.representations.lists import listing, stamp
from api.representations.looks import character, reference, style
from api.representations.members import membership, quota
from api.representations.shares import (
    case,
    decision,
    grant,
    lease,
    policy,
    queue_entry,
    share_of,
    share_url,
    submission,
)
from api.representations.videos import hit_rates, lineage, model, video

__all__ = [
    "case",
    "character",
    "decision",
    "grant",
    "hit_rates",
    "lease",
    "lineage",
    "listing",
    "membership",
    "model",
    "policy",
    "queue_entry",
    "quota",
    "reference",
    "share_of",
    "share_url",
    "stamp",
    "style",
    "submission",
    "verification",
    "video",
]

"""What a token can be allowed to do."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    VIDEOS_READ = "videos:read"
    VIDEOS_WRITE = "videos:write"
    SHARES_WRITE = "shares:write"
    REVIEW_DECIDE = "review:decide"
    SHARES_REVOKE = "shares:revoke"

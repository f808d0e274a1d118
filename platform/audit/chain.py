"""The arithmetic of the chain: each event's hash covers its own fields and the hash before it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

GENESIS = b"\0" * 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One event before it is numbered."""

    at: datetime
    actor: str
    action: str
    target: str
    data: dict[str, Any]


def digest(*, seq: int, entry: Entry, previous: bytes) -> bytes:
    """SHA-256 over `previous` and the entry as canonical JSON (sorted keys, no spaces, UTC microseconds)."""
    body = json.dumps(
        [
            seq,
            entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            entry.actor,
            entry.action,
            entry.target,
            entry.data,
        ],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(previous + body.encode()).digest()

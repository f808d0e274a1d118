"""Where finished files lie, under which keys those of an attempt or a copy, and how they go again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings

from audit import outbox
from generation.errors import Transient
from generation.spec import FileKind, FileMade
from generation.stores.base import Store
from generation.stores.filesystem import FilesystemStore

PURGE = "generation.purge"
_NOTICED = timedelta(minutes=5)  # more than any lease lasts
_SUFFIX = {
    "mp4": ".mp4",
    "poster": ".jpg",
    "sprite": "-sprite.jpg",
    "vtt": ".vtt",
    "sheet": "-sheet.jpg",
    "source": ".sealed",
}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of ours in the store, by the digest that it must have."""

    key: str
    sha256: str


def digest(file: BinaryIO) -> str:
    """SHA-256 of what is left of a file, which is not held in memory."""
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a file on a disk has readinto


@cache
def store() -> Store:
    return FilesystemStore(settings.MEDIA_DIR)


def key(video: str, lease: UUID, kind: str) -> str:
    """Each attempt has keys of its own: a worker that was given up for lost cannot overwrite another's files."""
    return f"{video}/{lease}{_SUFFIX[kind]}"


def keep(video: str, lease: UUID, made: Sequence[FileMade]) -> dict[FileKind, str]:
    """Store an attempt's files, all or none; returns their keys. Transient when the disk refuses."""
    by_kind = {file.kind: key(video, lease, file.kind) for file in made}
    try:
        store().put_all({by_kind[file.kind]: file.path for file in made})
    except OSError as fault:
        raise Transient(f"the store refused: {fault}") from fault
    return by_kind


def keys(video: str, lease: UUID) -> list[str]:
    return [key(video, lease, kind) for kind in _SUFFIX]


def purge(video: str, lease: UUID | None, *, now: datetime) -> None:
    """After the commit, remove what a worker may have stored under its lease: what it has is not known here.

    And once more when it must have noticed: it may be storing them this moment, and be lost before it takes them back.
    """
    if lease is not None:
        for due_at in (now, now + _NOTICED):
            outbox.add(topic=PURGE, payload={"keys": keys(video, lease)}, now=now, due_at=due_at)


@outbox.handler(PURGE)
def _purge(payload: dict[str, Any]) -> None:
    for name in payload["keys"]:
        store().delete(name)

"""Pictures and adapters that renders start from, kept on this machine by their SHA-256."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from generation.errors import EngineError, SpecRejected
from generation.services import files
from generation.services.queueing import StoredFile


def fetch(wanted: StoredFile, *, suffix: str) -> Path:
    """The file on this machine, copied from the store unless it is there. Its bytes are those that were recorded.

    SpecRejected when the store has it no more, EngineError when its bytes are others.
    """
    folder: Path = settings.WORKER_CACHE_DIR
    target = folder / f"{wanted.sha256}{suffix}"
    if target.is_file():
        os.utime(target)  # what was used last is removed last
        return target
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f".{uuid4().hex}"
    try:
        with files.store().open(wanted.key) as source, part.open("xb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        with part.open("rb") as copied:
            found = hashlib.file_digest(copied, "sha256").hexdigest()
        if found != wanted.sha256:
            raise EngineError(f"{wanted.key} should have the digest {wanted.sha256}, and has {found}")
        part.replace(target)
    except FileNotFoundError as fault:
        raise SpecRejected(
            "file_gone", "A picture or a style file that this clip starts from has been removed."
        ) from fault
    finally:
        part.unlink(missing_ok=True)
    _make_room(folder, keep=target)
    return target


def _make_room(folder: Path, *, keep: Path) -> None:
    """Remove what was not used for longest until the rest fits into `WORKER_CACHE_BYTES`."""
    kept = sorted(folder.glob("[0-9a-f]*"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for path in kept:
        total += path.stat().st_size
        if total > settings.WORKER_CACHE_BYTES and path != keep:
            path.unlink(missing_ok=True)

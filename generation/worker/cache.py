"""Pictures and adapters that renders start from, kept on this machine by their SHA-256, for all its workers.

What a worker was handed out it holds a shared lock on until it lets go; only what nobody holds makes room.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

from django.conf import settings

from generation.errors import EngineError, SpecRejected, Transient
from generation.services import files, scratch
from generation.services.files import StoredFile
from generation.worker import sources

_ABANDONED: Final = 24 * 3600.0  # seconds after which a copy that was begun will not be ended
_held: list[int] = []
_opened: list[tempfile.TemporaryDirectory[str]] = []


@contextlib.contextmanager
def held() -> Iterator[None]:
    """What is fetched within stays at its path until the end."""
    try:
        yield
    finally:
        while _held:
            os.close(_held.pop())
        while _opened:
            _opened.pop().cleanup()


def fetch(wanted: StoredFile, *, suffix: str) -> Path:
    """The file on this machine, copied from the store unless it is there. Its bytes are those that were recorded.

    SpecRejected when the store has it no more, EngineError when its bytes are others, Transient when the disk refuses.
    """
    folder: Path = settings.WORKER_CACHE_DIR
    target = folder / f"{wanted.sha256}{suffix}"
    try:
        copied = False
        while not _hold(target):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _copy(wanted, target)
            copied = True
        if copied:
            _make_room(folder)
    except OSError as fault:
        raise Transient(f"the cache of this worker refused: {fault}") from fault
    return target


def fetch_sealed(wanted: StoredFile, *, suffix: str) -> Path:
    """As `fetch`, opened in this process's own folder: only what is sealed stays on this machine."""
    sealed = fetch(wanted, suffix=".sealed")
    _opened.append(scratch.folder())
    target = Path(_opened[-1].name) / f"opened{suffix}"
    with sealed.open("rb") as file:
        sources.unseal(file, target)
    return target


def _hold(path: Path) -> bool:
    """False when it is not there."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    fcntl.flock(file, fcntl.LOCK_SH)
    if not _is_at(path, file):
        os.close(file)
        return False
    # What was used last is removed last. When it was changed stays true: what was read of a file is remembered by that.
    os.utime(file, ns=(time.time_ns(), os.fstat(file).st_mtime_ns))
    _held.append(file)
    return True


def _copy(wanted: StoredFile, target: Path) -> None:
    part = target.with_name(f".{uuid4().hex}")
    try:
        source = files.store().open(wanted.key)
    except FileNotFoundError as fault:
        raise SpecRejected(
            "file_gone", "A picture or a style file that this clip starts from has been removed."
        ) from fault
    try:
        with source, part.open("xb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())  # its name says what it holds, after a power cut as well
        with part.open("rb") as copied:
            found = hashlib.file_digest(copied, "sha256").hexdigest()
        if found != wanted.sha256:
            raise EngineError(f"{wanted.key} should have the digest {wanted.sha256}, and has {found}")
        with contextlib.suppress(
            FileExistsError
        ):  # another worker's, the same bytes: somebody may hold that one
            target.hardlink_to(part)
    finally:
        part.unlink(missing_ok=True)


def _make_room(folder: Path) -> None:
    """Remove what was not used for longest until the rest fits into `WORKER_CACHE_BYTES`; then copies left undone."""
    found: list[tuple[float, int, Path]] = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            about = path.stat()
            found.append((about.st_atime, about.st_size, path))
    total = 0
    for used, size, path in sorted(found, reverse=True):
        if path.name.startswith("."):
            if used < time.time() - _ABANDONED:
                path.unlink(missing_ok=True)
            continue
        total += size
        if total > settings.WORKER_CACHE_BYTES and _remove(path):
            total -= size


def _remove(path: Path) -> bool:
    """False when somebody holds it, or has removed it."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_at(path, file):
            return False
        path.unlink()
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


def _is_at(path: Path, file: int) -> bool:
    """Whether the locked file is still the one at the path, which then stays so: removing it takes the lock.

    How many names it has does not tell. While it is put in its place it has two.
    """
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False

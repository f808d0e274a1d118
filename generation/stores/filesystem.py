"""A folder as a store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, TypeVar
from uuid import uuid4

from generation.stores.base import check_key

_TRIES: Final = 20
_LEFT: Final = timedelta(days=1)  # longer than anything is copied in

T = TypeVar("T")


class FilesystemStore:
    """Files are written in a folder apart, flushed to the disk, and renamed: no reader sees half a file."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self._incoming = self.root / ".incoming"

    def put(self, source: Path, *, key: str) -> None:
        """OSError when the disk is full or not writable; then nothing is left behind."""
        self.put_all({key: source})

    def put_all(self, sources: Mapping[str, Path]) -> None:
        """As `put`. Every file is whole and flushed before the first one gets its name; folders are flushed once."""
        targets = {self.path(key): source for key, source in sources.items()}
        parts: dict[Path, Path] = {}
        try:
            for target, source in targets.items():
                parts[target] = _copy(source, self._incoming)
            for target in targets:
                _place(parts[target], target)
                del parts[target]
        except BaseException:
            for part in parts.values():
                part.unlink(missing_ok=True)
            for target in targets:
                _remove_if_empty(target.parent)
            raise
        finally:
            _remove_if_empty(self._incoming)
        self._flush_folders({target.parent for target in targets})

    def _flush_folders(self, folders: set[Path]) -> None:
        """Make the new names as durable as the bytes, up to the store's own."""
        above = {outer for folder in folders for outer in folder.parents if outer.is_relative_to(self.root)}
        for folder in sorted(folders | above, reverse=True):
            flush_folder(folder)

    def sweep(self, *, now: datetime) -> int:
        left = [part for part in self._incoming.glob("*") if _age(part, now) > _LEFT]
        for part in left:
            part.unlink(missing_ok=True)
        _remove_if_empty(self._incoming)
        return len(left)

    def open(self, key: str) -> BinaryIO:
        return self.path(key).open("rb")

    def path(self, key: str) -> Path:
        return self.root / check_key(key)

    def size(self, key: str) -> int:
        return self.path(key).stat().st_size

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def delete(self, key: str) -> None:
        target = self.path(key)
        target.unlink(missing_ok=True)
        _remove_if_empty(target.parent)


def _copy(source: Path, folder: Path) -> Path:
    """A whole, flushed copy under a name that no reader asks for; nothing when that fails."""
    with source.open("rb") as original:
        incoming = _begin(folder)
        part = Path(incoming.name)
        try:
            with incoming:
                shutil.copyfileobj(original, incoming, 1 << 20)
                incoming.flush()
                os.fsync(incoming.fileno())
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    return part


def _begin(folder: Path) -> BinaryIO:
    """A new file in the folder, as readable as the umask lets: the proxy is another user."""
    return _in(folder, lambda: (folder / uuid4().hex).open("xb"))


def _place(part: Path, target: Path) -> None:
    _in(target.parent, lambda: part.replace(target))


def _in(folder: Path, do: Callable[[], T]) -> T:
    """In a folder, which is made if need be."""
    for _ in range(_TRIES):
        # Its last file may be deleted this moment, and the folder with it: after it was found to be there
        # (FileExistsError, for it is none any more), or before ours is in it.
        with suppress(FileNotFoundError, FileExistsError):
            folder.mkdir(parents=True, exist_ok=True)
            return do()
    raise FileNotFoundError(f"{folder} keeps disappearing")


def _age(part: Path, now: datetime) -> timedelta:
    """None at all of what has just got its name."""
    with suppress(FileNotFoundError):
        return now - datetime.fromtimestamp(part.stat().st_mtime, UTC)
    return timedelta(0)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # other files of the same clip, or no such folder
        folder.rmdir()


def flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

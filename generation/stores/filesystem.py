"""A folder as a store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from generation.stores.base import check_key

_TRIES: Final = 20


class FilesystemStore:
    """Files are written beside their place, flushed to the disk, and renamed: no reader sees half a file."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def put(self, source: Path, *, key: str) -> None:
        """OSError when the disk is full or not writable; then nothing is left behind."""
        self.put_all({key: source})

    def put_all(self, sources: Mapping[str, Path]) -> None:
        """As `put`. Every file is whole and flushed before the first one gets its name; folders are flushed once."""
        targets = {self.path(key): source for key, source in sources.items()}
        parts: dict[Path, Path] = {}
        try:
            for target, source in targets.items():
                parts[target] = _copy(source, target.parent)
            for target in targets:
                parts.pop(target).replace(target)
        except BaseException:
            for part in parts.values():
                part.unlink(missing_ok=True)
            for target in targets:
                _remove_if_empty(target.parent)
            raise
        self._flush_folders({target.parent for target in targets})

    def _flush_folders(self, folders: set[Path]) -> None:
        """Make the new names as durable as the bytes, up to the store's own."""
        above = {outer for folder in folders for outer in folder.parents if outer.is_relative_to(self.root)}
        for folder in sorted(folders | above, reverse=True):
            _flush_folder(folder)

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
            _remove_if_empty(folder)
            raise
    return part


def _begin(folder: Path) -> BinaryIO:
    """A new file in the folder, which is made if need be, as readable as the umask lets: the proxy is another user."""
    for _ in range(_TRIES):
        # The folder's last file may be deleted this moment, and the folder with it: after it was found to be there
        # (FileExistsError, for it is none any more), or before ours is in it.
        with suppress(FileNotFoundError, FileExistsError):
            folder.mkdir(parents=True, exist_ok=True)
            return (folder / f".incoming-{uuid4().hex}").open("xb")
    raise FileNotFoundError(f"{folder} keeps disappearing")


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # other files of the same clip, or no such folder
        folder.rmdir()


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""A folder as a store."""

from __future__ import annotations

import os
import shutil
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
        target = self.path(key)
        with source.open("rb") as original:
            incoming = _begin(target.parent)
            part = Path(incoming.name)
            try:
                with incoming:
                    shutil.copyfileobj(original, incoming, 1 << 20)
                    incoming.flush()
                    os.fsync(incoming.fileno())
                part.replace(target)
            except BaseException:
                part.unlink(missing_ok=True)
                _remove_if_empty(target.parent)
                raise
        _flush_folder(target.parent)
        _flush_folder(self.root)

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


def _begin(folder: Path) -> BinaryIO:
    """A new file in the folder, which is made if need be, as readable as the umask lets: the proxy is another user."""
    for _ in range(_TRIES):
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(
            FileNotFoundError
        ):  # the folder's last file was deleted this moment, and the folder with it
            return (folder / f".incoming-{uuid4().hex}").open("xb")
    raise FileNotFoundError(f"{folder} keeps disappearing")


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # other files of the same clip, or no such folder
        folder.rmdir()


def _flush_folder(folder: Path) -> None:
    """Make the renamed name as durable as the bytes."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""A folder as a store."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from generation.stores.base import check_key


class FilesystemStore:
    """Files are written beside their place, flushed to the disk, and renamed: no reader sees half a file."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def put(self, source: Path, *, key: str) -> None:
        """OSError when the disk is full or not writable; then nothing is left behind."""
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".incoming-")
        try:
            with os.fdopen(handle, "wb") as incoming, source.open("rb") as original:
                shutil.copyfileobj(original, incoming, 1 << 20)
                incoming.flush()
                os.fsync(incoming.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _flush_folder(target.parent)

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
        with suppress(OSError):  # other files of the same clip, or no such folder
            target.parent.rmdir()


def _flush_folder(folder: Path) -> None:
    """Make the renamed name as durable as the bytes."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Files for the native library, which swallows what goes wrong with them: the first fault is kept here."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Disk(io.FileIO):
    """A file that remembers why it could not be read or written."""

    fault: OSError | None = None

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        try:
            return super().readinto(buffer)
        except OSError as fault:
            self.fault = fault
            raise

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as fault:
            self.fault = fault
            raise


def reading(path: Path) -> tuple[Disk, io.BufferedReader]:
    """The file and a reader of it; closing the reader closes both."""
    disk = Disk(path, "rb")
    return disk, io.BufferedReader(disk)


def writing(path: Path) -> tuple[Disk, io.BufferedRandom]:
    """A new file that can also be read back, as signing needs; closing closes both."""
    disk = Disk(path, "xb+")
    return disk, io.BufferedRandom(disk)

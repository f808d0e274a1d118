"""The contract of a place for finished files; `tests/contracts` runs it on each store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

_KEY = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\.[a-z0-9]+")


class Store(Protocol):
    """Files by key: folders, a name, a suffix (`video_7Kq/0f3a.mp4`). A bad key is a ValueError everywhere."""

    def put(self, source: Path, *, key: str) -> None:
        """Copy a file in. Afterwards it is whole and durable, or not there; putting it twice is putting it once."""
        ...

    def put_all(self, sources: Mapping[str, Path]) -> None:
        """Copy files in, each under its key, at the price of one: all of them are there afterwards, or none."""
        ...

    def open(self, key: str) -> BinaryIO:
        """For reading; the caller closes it. FileNotFoundError when there is none."""
        ...

    def path(self, key: str) -> Path:
        """Where the file lies, for stores on a disk of this machine."""
        ...

    def size(self, key: str) -> int:
        """Bytes. FileNotFoundError when there is none."""
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Remove it; removing what is not there is no error."""
        ...

    def sweep(self, *, now: datetime) -> int:
        """Remove what a process that was ended had begun to copy in; how many files that were."""
        ...


def check_key(key: str) -> str:
    """The key itself, if it cannot lead out of the store."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a key of a store: {key!r}")
    return key

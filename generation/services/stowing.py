"""A file goes into the store before its row is written, and out again when the row is not."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import Invalid
from generation.services import files, scratch

logger = logging.getLogger(__name__)


class Stowed:
    """`kept` is set once the row that names the file is committed."""

    kept = False


@contextmanager
def stowed(source: Path, *, key: str) -> Iterator[Stowed]:
    """Have the file in the store for the block, and after it only if the block says that it is kept.

    Inside another transaction that is rolled back later the file would stay: call it in none.
    """
    files.store().put(source, key=key)
    file = Stowed()
    try:
        yield file
    finally:
        if not file.kept:
            try:
                files.store().delete(key)
            except OSError:  # what the block raised matters more than a file that nobody can reach
                logger.exception("%s stays in the store, and no row names it", key)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for what has not been looked at yet; it goes with all that is in it."""
    with scratch.folder() as name:
        yield Path(name)


def receive(file: BinaryIO, path: Path, *, most: int, sentence: str) -> tuple[str, int]:
    """Copy what somebody sent to `path`: its SHA-256 and its length in bytes.

    Raises Invalid with the field `file`: file_too_large with the sentence given, file_empty.
    """
    digest, length = hashlib.sha256(), 0
    with path.open("xb") as copy:
        while piece := file.read(1 << 20):
            length += len(piece)
            if length > most:
                raise Invalid("file_too_large", sentence, fields={"file": sentence})
            digest.update(piece)
            copy.write(piece)
    if not length:
        sentence = "This file is empty."
        raise Invalid("file_empty", sentence, fields={"file": sentence})
    return digest.hexdigest(), length

"""A file goes into the store before its row is written, and out again when the row is not."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from generation.services import files

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
    with tempfile.TemporaryDirectory(prefix="upload-") as name:
        yield Path(name)

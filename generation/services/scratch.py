"""Where files lie until they are stored: unmarked frames are among them, and what strangers sent, so that none
outlives its process for long.

Each process has a folder, and a lock in it for as long as it lives. Who starts removes those that nobody holds: a
process that was killed could not.
"""

from __future__ import annotations

import atexit
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

_PREFIX: Final = "private-view-scratch-"  # the sockets of a demo stand beside them and begin like it
_LOCK: Final = "held"


def folder() -> tempfile.TemporaryDirectory[str]:
    """A new folder for files that belong together, within this process's own. It is the caller's to close."""
    return tempfile.TemporaryDirectory(dir=_own(os.getpid()))


def sweep() -> int:
    """Remove the folders of processes that are gone; how many those were."""
    with _alone():
        gone = [left for left in _base().glob(f"{_PREFIX}*/") if _is_left(left)]
        for left in gone:
            shutil.rmtree(left, ignore_errors=True)
            logger.info("%s was left by a process that was ended, and is removed", left)
    return len(gone)


@cache
def _own(_process: int) -> Path:
    """This process's folder. Its lock is never let go: the system does so when the process ends, however that is."""
    with _alone():
        own = Path(tempfile.mkdtemp(prefix=_PREFIX))
        fcntl.flock(os.open(own / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600), fcntl.LOCK_EX)
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def _is_left(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:  # its process was ended before it could lock
        return True
    except OSError:  # held, or somebody else's
        return False
    return True


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time, so that none removes what another is about to lock."""
    gate = os.open(
        _base() / f"{_PREFIX}{os.getuid()}.lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield
    finally:
        os.close(gate)


def _base() -> Path:
    return Path(tempfile.gettempdir())

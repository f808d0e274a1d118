"""A folder for Unix sockets: private to us, and with a path short and plain enough for everybody who uses it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from embedded.failures import CannotStart

PATH_LIMIT = 103
"""Bytes of a socket's whole path: 107 on Linux, 103 on macOS."""
LONGEST_NAME = ".s.PGSQL.5432.lock"
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")  # a path that means the same in an URL, a config file and a shell


def fits(folder: Path) -> bool:
    return (
        _PLAIN.fullmatch(str(folder)) is not None
        and len(os.fsencode(folder)) + 1 + len(LONGEST_NAME) <= PATH_LIMIT
    )


def path_for(state: Path) -> Path:
    """`state`/run where its path fits, else a short folder under the temporary one.

    The short one is named after `state`, so that each checkout has its own and finds it again.
    """
    for folder in (state / "run", *_short(state)):
        if fits(folder):
            return folder
    raise CannotStart(
        f"No folder with a short enough path for sockets: {folder} is too long. Set TMPDIR=/tmp and start again."
    )


def folder_for(state: Path) -> Path:
    """The folder of `path_for`, made for us alone."""
    folder = path_for(state)
    if folder.parent == state:
        state.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        return folder
    return _private(folder)


def release(state: Path) -> None:
    """Remove the short folder, if there is one and nobody uses it any more."""
    for short in _short(state):
        with contextlib.suppress(OSError):
            short.rmdir()


def _short(state: Path) -> list[Path]:
    digest = hashlib.sha256(os.fsencode(state.absolute())).hexdigest()[:12]
    bases = (tempfile.gettempdir(), "/tmp")  # noqa: S108 - owner and mode are checked before use
    return [Path(base) / f"private-view-{os.getuid()}-{digest}" for base in bases]


def _private(folder: Path) -> Path:
    """Somebody else could have made this folder first, to read along: then it is not used."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise CannotStart(
            f"{folder} belongs to somebody else or is open to others. Remove it and start again."
        )
    return folder

"""What can go wrong on somebody else's machine; each says what to do about it."""

from __future__ import annotations

from pathlib import Path

_TAIL_BYTES = 2500


class CannotStart(Exception):
    """A part of the house could not be started. The message is for the person at the terminal."""


def tail(log: Path) -> str:
    """The last lines of a log, indented, for showing under a failure."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-25:])

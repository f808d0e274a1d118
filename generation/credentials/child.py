"""Reads a file's Content Credentials in a process of its own, which a hostile file may take with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from generation.credentials.claims import Certificate, Claims, IngredientClaim
from generation.errors import Transient

_LONGEST: Final = 30.0  # seconds; an answer must come before a proxy gives up
_HEAVY: Final = 5.0  # seconds of CPU: who had less had to wait for others
_ROOT: Final = Path(__file__).parents[2]

State = Literal["none", "trusted", "valid", "changed", "unreadable", "too_heavy", "gone"]


@dataclass(frozen=True, slots=True)
class FileRead:
    """As `reader.Reading`, whose library this module does not load. `gone`: there was no file to read any more."""

    state: State
    failures: tuple[str, ...] = ()
    claims: Claims | None = None
    certificate: Certificate | None = None


def read_apart(path: Path, anchors: bytes | None) -> FileRead:
    """As `reader.read`, under limits of memory and time, behind everything else, and without our environment.

    The state is `too_heavy` where the limits were not enough. Raises Transient where the process could not do its work.
    """
    command = [sys.executable, "-m", "generation.credentials", str(path.resolve())]
    env = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT)}
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, cwd=_ROOT, env=env, stdin=pipe, stdout=pipe, stderr=nothing) as process:
        try:
            answer, _ = process.communicate(anchors or b"", timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            return _gave_up(process)
    if process.returncode < 0:  # ended by a signal: the limits, or a parser that fell over
        return FileRead("too_heavy")
    return _told(answer, process.returncode)


def _gave_up(process: subprocess.Popen[bytes]) -> FileRead:
    """Whoever comes behind everything else may have waited for the machine, which is not the file's fault."""
    os.kill(process.pid, signal.SIGKILL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if used.ru_utime + used.ru_stime < _HEAVY:
        raise Transient("The machine had no time to read the Content Credentials of a file.")
    return FileRead("too_heavy")


def _told(answer: bytes, returned: int) -> FileRead:
    try:
        told: dict[str, Any] = json.loads(answer)
    except ValueError:
        raise Transient(f"The process that reads Content Credentials ended with {returned}.") from None
    certificate = told["certificate"]
    if certificate is not None:
        certificate = Certificate(certificate["sha256"], datetime.fromisoformat(certificate["not_after"]))
    return FileRead(told["state"], tuple(told["failures"]), _claims(told["claims"]), certificate)


def _claims(told: dict[str, Any] | None) -> Claims | None:
    if told is None:
        return None
    signed = told["signed_at"]
    return Claims(
        **told
        | {
            "actions": tuple(told["actions"]),
            "soft_bindings": tuple(told["soft_bindings"]),
            "ingredients": tuple(IngredientClaim(**one) for one in told["ingredients"]),
            "signed_at": datetime.fromisoformat(signed) if signed else None,
        }
    )

"""Reads a file's Content Credentials in a process of its own, which a hostile file may take with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from generation.credentials.claims import Claims, IngredientClaim
from generation.errors import Transient

_LONGEST: Final = 30.0  # seconds
_ROOT: Final = Path(__file__).parents[2]

State = Literal["none", "trusted", "valid", "changed", "unreadable", "too_heavy", "gone"]


@dataclass(frozen=True, slots=True)
class FileRead:
    """As `reader.Reading`, whose library this module does not load. `gone`: there was no file to read any more."""

    state: State
    failures: tuple[str, ...] = ()
    claims: Claims | None = None


def read_apart(path: Path, anchors: bytes | None) -> FileRead:
    """As `reader.read`, under limits of memory and time and without our environment.

    The state is `too_heavy` where the limits were not enough. Raises Transient where the process could not do its work.
    """
    command = [sys.executable, "-m", "generation.credentials", str(path.resolve())]
    env = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT)}
    try:
        done = subprocess.run(
            command,
            cwd=_ROOT,
            env=env,
            input=anchors or b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return FileRead("too_heavy")
    if done.returncode < 0:  # ended by a signal: the limits, or a parser that fell over
        return FileRead("too_heavy")
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise Transient(f"The process that reads Content Credentials ended with {done.returncode}.") from None
    return FileRead(told["state"], tuple(told["failures"]), _claims(told["claims"]))


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

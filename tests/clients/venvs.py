"""Environments beside ours, each made once from a list of exact versions and again when the list changes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class CannotInstall(Exception):
    """pip could not; the message says what to do."""


def python_of(name: str, requirements: Path) -> Path:
    """The interpreter of `.venv-<name>` with `requirements` installed. Raises CannotInstall."""
    folder = ROOT / f".venv-{name}"
    python, stamp = folder / "bin" / "python", folder / "private-view-installed"
    wanted = hashlib.sha256(b"|".join([str(folder).encode(), requirements.read_bytes()])).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted and _runs(python):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], "make the environment")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    _run([*pip, "--requirement", str(requirements)], f"install {requirements.name}")
    stamp.write_text(wanted)
    return python


def _runs(python: Path) -> bool:
    return subprocess.run([str(python), "-c", ""], check=False, capture_output=True).returncode == 0


def _run(command: list[str], purpose: str) -> None:
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise CannotInstall(
            f"Could not {purpose}:\n{answer.stdout[-1000:]}{answer.stderr[-2000:]}\n"
            "pip must reach a package index; a mirror or a proxy is set with PIP_INDEX_URL or PIP_PROXY."
        )

"""c2pa-ts: a reader of Content Credentials that shares no code with the library that signs them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "tests" / "clients" / "c2pa-ts"
FOLDER = ROOT / ".venv-c2pa-ts"

Look: TypeAlias = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="session")
def look() -> Look:
    """What the other reader finds in a file."""
    if missing := [program for program in ("node", "npm") if shutil.which(program) is None]:
        pytest.skip(f"the reader of c2pa-ts needs {' and '.join(missing)}, which this machine has not")
    with FileLock(f"{FOLDER}.lock"):  # the processes of one run share the folder
        script = _installed()

    def found(file: Path) -> dict[str, Any]:
        answer = subprocess.run(["node", str(script), str(file)], check=True, capture_output=True, text=True)
        told: dict[str, Any] = json.loads(answer.stdout)
        return told

    return found


def _installed() -> Path:
    """The script beside its packages: once, and again when the exact versions change."""
    files = [CLIENT / name for name in ("package.json", "package-lock.json", "read.js")]
    wanted = hashlib.sha256(b"|".join(file.read_bytes() for file in files)).hexdigest()
    stamp, script = FOLDER / "private-view-installed", FOLDER / "read.js"
    if stamp.is_file() and stamp.read_text() == wanted:
        return script
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for file in files:
        shutil.copy(file, FOLDER)
    # No script of a package runs; what is optional is native code that only makes it faster.
    quiet = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
    answer = subprocess.run(["npm", "ci", *quiet], cwd=FOLDER, check=False, capture_output=True, text=True)
    if answer.returncode:
        pytest.fail(
            f"Could not install c2pa-ts:\n{answer.stderr[-2000:]}\n"
            "npm must reach a registry; a mirror is set with npm_config_registry."
        )
    stamp.write_text(wanted)
    return script

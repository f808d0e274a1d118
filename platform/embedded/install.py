"""Makes .venv and installs a list of exact versions into it; quick when there is nothing to do.

    python3.11 -I platform/embedded/install.py requirements.txt [requirements-dev.txt]

Runs under whatever Python the machine has, before anything is installed: standard library only. Of several
lists the last is installed; the earlier ones must be contained in it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "private-view-installed"
LOG = VENV / "install.log"
OLDEST = (3, 11)
NEEDED_BYTES = 4_500_000_000  # 2 GB stay; pip unpacks beside them while it installs


def fingerprint(requirements: Path) -> str:
    """Changes with the versions, with the place of the checkout (scripts in .venv name it) and with Python's."""
    parts = [str(ROOT).encode(), str(sys.version_info[:2]).encode(), requirements.read_bytes()]
    return f"{requirements.name} {hashlib.sha256(b'|'.join(parts)).hexdigest()}"


def check_python() -> None:
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"Private View needs Python {OLDEST[0]}.{OLDEST[1]} or newer; {sys.executable} is {found}. Install it "
            "(Debian, Ubuntu: python3.11 and python3.11-venv), or name one: make demo PYTHON=/path/to/python3.11"
        )


def check_disk() -> None:
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES and not PYTHON.exists():
        sys.exit(
            f"Only {free / 1e9:.1f} GB are free in {ROOT}; the packages want {NEEDED_BYTES / 1e9:.1f} GB while they "
            "are installed. Free some space and start again."
        )


def works() -> bool:
    """Whether .venv has a Python of this version that still runs: it breaks when the system's is upgraded."""
    if not PYTHON.exists():
        return False
    question = "import sys, pip; print(sys.version_info[:2], sys.prefix)"
    answer = subprocess.run([str(PYTHON), "-I", "-c", question], check=False, capture_output=True, text=True)
    return answer.stdout.strip() == f"{sys.version_info[:2]} {VENV}"


def create() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], check=False, capture_output=True, text=True
    )
    if answer.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        version = ".".join(map(str, sys.version_info[:2]))
        sys.exit(
            f"{answer.stdout}{answer.stderr}\n.venv could not be made. Debian and Ubuntu keep the module `venv` "
            f"in a package of its own: apt-get install python{version}-venv"
        )


def install(requirements: Path) -> None:
    """Show what pip is at on one line; keep all that it says in a log."""
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--requirement", str(requirements)]
    shows = sys.stdout.isatty()
    with (
        LOG.open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        ) as pip,
    ):
        assert pip.stdout is not None  # noqa: S101 - it was asked for one line above
        for line in pip.stdout:
            log.write(line)
            if shows and line.startswith(("Collecting", "Installing")):
                print(f"\r\033[K  {line.split('(')[0].strip()[:70]}", end="", flush=True)
    if shows:
        print("\r\033[K", end="")
    if pip.returncode != 0:
        last = "".join(f"    {line}\n" for line in LOG.read_text().splitlines()[-15:])
        sys.exit(
            f"pip could not install {requirements.name}:\n{last}  All of it: {LOG}\n  pip must reach a package index "
            "(a proxy or a mirror is set with pip's own PIP_INDEX_URL, PIP_PROXY). Start again to go on."
        )


def put_on_path() -> None:
    """Both source folders, for every program in .venv: Celery, uvicorn, pytest."""
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([str(PYTHON), "-I", "-c", question], check=True, capture_output=True, text=True)
    (Path(answer.stdout.strip()) / "private_view.pth").write_text(f"{ROOT}\n{ROOT / 'platform'}\n")


def main() -> None:
    check_python()
    lists = [ROOT / name for name in sys.argv[1:]]
    wanted = [fingerprint(requirements) for requirements in lists]
    done = STAMP.read_text().splitlines() if STAMP.exists() else []
    if wanted[-1] in done and works():
        return
    check_disk()
    os.environ.pop("PYTHONPATH", None)
    if not works():
        print("Making .venv", flush=True)
        create()
    print(f"Installing {lists[-1].name} (2 GB on disk; a minute or two, more on a slow line)", flush=True)
    install(lists[-1])
    put_on_path()
    STAMP.write_text("".join(f"{line}\n" for line in wanted))


if __name__ == "__main__":
    main()

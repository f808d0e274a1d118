"""Finds a Chromium, or installs Debian's where that is allowed: `python -m tests.rig.chromium`.

The journeys never skip for want of a browser: they fail, and say what to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
ADVICE = (
    "The journeys need a Chromium. Install one (Debian, Ubuntu: `apt-get install chromium` as root), or name the "
    "program of one that you have: PRIVATE_VIEW_CHROMIUM=/path/to/chromium make test."
)


def find() -> str | None:
    chosen = os.environ.get("PRIVATE_VIEW_CHROMIUM")
    return shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, _NAMES)), None)


def install() -> None:
    quiet = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", *arguments], check=True, env=quiet, stdout=subprocess.DEVNULL)


def main() -> None:
    if find() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("No Chromium here: installing Debian's.", flush=True)
        try:
            install()
        except subprocess.CalledProcessError as error:
            sys.exit(f"apt-get failed ({error.returncode}). {ADVICE}")
    if find() is None:
        sys.exit(ADVICE)


if __name__ == "__main__":
    main()

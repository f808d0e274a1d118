"""As whom PostgreSQL runs. It refuses root, and root is what containers and CI machines usually are."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from embedded.failures import CannotStart
from embedded.processes import TETHER

_PLACES = ("/var/tmp", "/tmp")  # noqa: S108 - the folder made there belongs to root and is checked


@dataclass(frozen=True)
class Identity:
    """`word` is what tether.py understands; `uid` and `gid` own the files where they are not our own."""

    word: str
    uid: int | None = None
    gid: int | None = None


@cache
def user_namespaces_work() -> bool:
    if sys.platform != "linux":
        return False
    answer = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            TETHER,
            str(os.getpid()),
            "9",
            "mapped",
            sys.executable,
            "-I",
            "-S",
            "-c",
            "pass",
        ],
        check=False,
        capture_output=True,
    )
    return answer.returncode == 0


def choose(*, allow_namespace: bool = True) -> Identity:
    if os.geteuid() != 0:
        return Identity("same")
    if allow_namespace and user_namespaces_work():
        return Identity("mapped")
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise CannotStart(
            "PostgreSQL does not run as root, user namespaces are not allowed here, and there is no user `nobody`. "
            "Start as a normal user."
        ) from None
    return Identity(f"{nobody.pw_uid}:{nobody.pw_gid}", nobody.pw_uid, nobody.pw_gid)


def home_outside(state: Path, identity: Identity) -> Path:
    """A folder that `nobody` can reach: the checkout may lie under /root, which stays closed."""
    digest = hashlib.sha256(os.fsencode(state.absolute())).hexdigest()[:12]
    base = next((Path(place) for place in _PLACES if Path(place).is_dir()), None)
    if base is None:
        raise CannotStart(
            "There is neither /var/tmp nor /tmp to keep the database in. Start as a normal user."
        )
    home = base / f"private-view-{digest}"
    home.mkdir(mode=0o711, exist_ok=True)
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0:
        raise CannotStart(f"{home} does not belong to root. Remove it and start again.")
    home.chmod(0o711)
    owned = home / "postgres"
    owned.mkdir(mode=0o700, exist_ok=True)
    os.chown(owned, identity.uid or 0, identity.gid or 0)
    return owned


def copy_for_others(root: Path, home: Path, version: str) -> Path:
    """PostgreSQL's programs where `nobody` can read them (42 MB), once for each version."""
    target = home.parent / f"programs-{version}"
    if not target.is_dir():
        unfinished = home.parent / f"programs-{version}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(root.parent, unfinished / root.parent.name)
        libraries = root.parent.with_name(root.parent.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name)
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        unfinished.rename(target)
    return target / root.parent.name / root.name

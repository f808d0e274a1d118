"""One folder and one set of variables for each run: two runs at once do not meet."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from embedded import sockets
from embedded.house import MARK_KEYS, SIGNING, without
from generation.credentials import chain

DEPLOYMENT = "pv-tests"
DATABASE = "private_view"
TEST_DATABASE = f"test_{DATABASE}"  # the name that Django gives it
_PREFIX = "pv-tests-"

folder = Path(os.devnull)
listener: socket.socket | None = None
"""Listens from the start, so that links in mails and pages carry an address that will answer."""


def prepare() -> None:
    global folder, listener  # noqa: PLW0603 - set once, before anything else runs
    _remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    postgres, valkey = (sockets.path_for(folder / name) for name in ("postgres", "valkey"))
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": f"postgresql://{DATABASE}@/{DATABASE}?host={quote(str(postgres), safe='/')}",
            "REDIS_URL": f"unix://{quote(str(valkey / 'valkey.sock'), safe='/')}?db=0",
            "PRIVATE_VIEW_SECRET_KEY": "tests only: forty characters of no secrecy at all",
            "PRIVATE_VIEW_TOKEN_PEPPER": "tests only",
            "PRIVATE_VIEW_DEBUG": "0",
            "PRIVATE_VIEW_DEPLOYMENT": DEPLOYMENT,
            "PRIVATE_VIEW_BASE_URL": f"http://localhost:{port}",
            "PRIVATE_VIEW_MEDIA_DIR": str(folder / "media"),
            "PRIVATE_VIEW_MAIL_DIR": str(folder / "mail"),
            "PRIVATE_VIEW_STATIC_DIR": str(folder / "static"),
            "PRIVATE_VIEW_WORKER_CACHE": str(folder / "cache"),
            "PRIVATE_VIEW_MARK_KEYS": str(folder / "mark-keys"),
            "PRIVATE_VIEW_C2PA_CHAIN": str(folder / "chain.pem"),
            "PRIVATE_VIEW_C2PA_KEY": str(folder / "key.pem"),
            "PRIVATE_VIEW_COPY_WAIT": "0",  # what waits for a worker is told at once, in this process
            "PRIVATE_VIEW_TORCH_THREADS": os.environ.get("PRIVATE_VIEW_TORCH_THREADS", "1"),
        }
    )
    for name in ("media", "mail", "static", "log"):
        (folder / name).mkdir()
    made = chain.make(now=datetime.now(UTC))
    for name, pem in (("chain", made.certificates), ("key", made.key), ("root", made.root)):
        (folder / f"{name}.pem").write_bytes(pem)
    (folder / "mark-keys").write_text(f"m1 {base64.b64encode(bytes(range(32))).decode()}\n")


def for_children() -> dict[str, str]:
    """The environment of processes beside the tests: they use the database that Django made for the tests."""
    url = os.environ["DATABASE_URL"].replace(f"/{DATABASE}?", f"/{TEST_DATABASE}?")
    return dict(os.environ) | {"DATABASE_URL": url, "PRIVATE_VIEW_COPY_WAIT": "15"}


def for_web() -> dict[str, str]:
    """Likewise, of a web process, which gets neither the keys of the marks nor the one that signs."""
    return without(for_children(), MARK_KEYS, *SIGNING)


def empty_folders() -> None:
    for name in ("media", "mail"):
        for entry in (folder / name).iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def clear_away() -> None:
    if listener is not None:
        listener.close()
    for name in ("postgres", "valkey"):
        sockets.release(folder / name)
    shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers() -> None:
    """Of runs that were killed: the folder carries the number of its process."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        number = left.name.removeprefix(_PREFIX).split("-", 1)[0]
        if number.isdigit() and left.stat().st_uid == os.getuid() and not _lives(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True

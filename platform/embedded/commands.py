"""How each part of Private View is started. The demo and the tests start the same command lines."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded.processes import Command

ROOT = Path(__file__).resolve().parents[2]


def _python(*arguments: str | Path) -> list[str | Path]:
    return [sys.executable, *arguments]


def manage(*arguments: str, env: Mapping[str, str], log: Path) -> Command:
    return Command(
        name=f"manage.py {arguments[0]}",
        argv=_python(ROOT / "manage.py", *arguments),
        log=log,
        env=env,
        cwd=ROOT,
    )


def web(*, listener: int, env: Mapping[str, str], log: Path) -> Command:
    """Answers on a socket that is already listening: its number stays open while the process is replaced."""
    # uvicorn takes an inherited socket for a Unix one and leaves Nagle's algorithm on, which holds back the second
    # part of each answer for 40 ms. What is set here is handed on to every connection.
    with socket.socket(fileno=os.dup(listener)) as shared:
        if shared.family in (socket.AF_INET, socket.AF_INET6):
            shared.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    serve = ("-m", "uvicorn", "config.asgi:application", "--fd", str(listener), "--log-level", "info")
    limits = ("--no-server-header", "--timeout-graceful-shutdown", "3")
    return Command(
        name="web",
        argv=_python(*serve, *limits),
        log=log,
        env=env,
        cwd=ROOT,
        pass_fds=[listener],
        stop_seconds=6,
    )


def worker(name: str, *, queues: Sequence[str], env: Mapping[str, str], log: Path) -> Command:
    """One process, one task at a time: nothing is left behind when it is killed.

    On the death of its parent it is killed outright. A render is taken up again when its lease has run out;
    a polite stop would wait for the end of the render with nobody to wait for it.
    """
    start = ("-m", "celery", "-A", "config.celery:app", "worker", "--pool", "solo", "--loglevel", "INFO")
    quiet = ("--without-gossip", "--without-mingle", "--queues", ",".join(queues), "--hostname", f"{name}@%h")
    return Command(
        name=name,
        argv=_python(*start, *quiet),
        log=log,
        env=env,
        cwd=ROOT,
        on_stop=signal.SIGTERM,
        stop_seconds=10,
    )


def beat(*, schedule: Path, env: Mapping[str, str], log: Path) -> Command:
    start = ("-m", "celery", "-A", "config.celery:app", "beat", "--schedule", schedule, "--pidfile", "")
    return Command(name="beat", argv=_python(*start, "--loglevel", "WARNING"), log=log, env=env, cwd=ROOT)

"""Children: each leads a session of its own, writes to a log, ends with us, and is stopped within a time limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")
_LOG_LIMIT = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to run, and how it wants to be ended.

    `on_parent_death` should be what ends the program at once and safely: nobody is left to insist.
    """

    name: str
    argv: Sequence[str | Path]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path = Path("/")
    identity: str = "same"
    on_parent_death: signal.Signals = signal.SIGKILL
    on_stop: signal.Signals = signal.SIGTERM
    stop_seconds: float = 8.0
    pass_fds: Sequence[int] = field(default=())


class Child:
    """One running command. Start it from a thread that lasts: the kernel ties it to that thread."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0

    @property
    def name(self) -> str:
        return self.command.name

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs or before it was started."""
        return None if self._process is None else self._process.poll()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        command = self.command
        command.log.parent.mkdir(parents=True, exist_ok=True)
        _roll(command.log)
        tethered = [
            sys.executable,
            "-I",
            "-S",
            TETHER,
            os.getpid(),
            int(command.on_parent_death),
            command.identity,
        ]
        with command.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(part) for part in (*tethered, *command.argv)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=command.env,
                cwd=command.cwd,
                pass_fds=tuple(command.pass_fds),
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the others in order
            )
        self.started_at = time.monotonic()

    def wait(self, seconds: float) -> bool:
        """True when it has ended within that time."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def ask_to_stop(self) -> None:
        if self.alive:
            self._signal_leader(self.command.on_stop)

    def stop(self, seconds: float | None = None) -> None:
        """Ask, wait, then kill it with everything that it started."""
        self.ask_to_stop()
        self.wait(self.command.stop_seconds if seconds is None else seconds)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole group: also to what the leader left behind."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._signal_leader(signal.SIGKILL)  # no group left, or (macOS) only unreaped members in it
        self._process.wait()

    def _signal_leader(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def stop_together(children: Sequence[Child]) -> None:
    """Ask all of them first, so that the slowest alone sets how long it takes."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + max((child.command.stop_seconds for child in children), default=0.0)
    for child in children:
        child.stop(max(0.0, deadline - time.monotonic()))


def _roll(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(log.suffix + ".1"))

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from embedded import sockets
from embedded.processes import Child, Command

SERVERS = Path(__file__).with_name("servers.py")
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, time
print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""
Gone = Callable[[int], bool]


def child(folder: Path, program: str, **options: object) -> Child:
    return Child(
        Command(name="child", argv=[sys.executable, "-c", program], log=folder / "log", **options)  # type: ignore[arg-type]
    )


def first_line(log: Path) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if log.exists() and "\n" in (text := log.read_text()):
            return text.splitlines()[0]
        time.sleep(0.02)
    pytest.fail("the child said nothing")


def test_one_that_ignores_the_request_to_stop_is_killed_in_time(folder: Path) -> None:
    stubborn = child(folder, STUBBORN, stop_seconds=0.3)
    stubborn.start()
    first_line(folder / "log")

    started = time.monotonic()
    stubborn.stop()

    assert not stubborn.alive
    assert time.monotonic() - started < 5


def test_what_a_child_started_ends_with_it(folder: Path, is_gone: Gone) -> None:
    parent = child(folder, PARENT)
    parent.start()
    grandchild = int(first_line(folder / "log"))

    parent.stop()

    assert is_gone(grandchild)


def test_ctrl_c_in_our_terminal_does_not_reach_a_child(folder: Path) -> None:
    sleeper = child(folder, "import time; print('up', flush=True); time.sleep(60)")
    sleeper.start()
    first_line(folder / "log")

    assert os.getsid(sleeper.pid) == sleeper.pid != os.getsid(0)
    sleeper.kill()


def test_a_broken_pipe_ends_a_child_as_in_a_shell(folder: Path) -> None:
    """Python ignores SIGPIPE and would hand that on to programs that rely on it."""
    look = Child(Command(name="look", argv=["/bin/grep", "SigIgn", "/proc/self/status"], log=folder / "log"))
    look.start()
    look.wait(10)

    ignored = int(first_line(folder / "log").split()[1], 16)

    assert not ignored & (1 << (signal.SIGPIPE - 1))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_kill_9_of_the_parent_leaves_no_server_and_the_next_start_works(folder: Path, is_gone: Gone) -> None:
    for _ in range(2):
        parent = subprocess.Popen([sys.executable, SERVERS, folder], stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        backends = [process.pid for pid in pids for process in psutil.Process(pid).children(recursive=True)]

        parent.kill()
        parent.wait()
        parent.stdout.close()

        assert all(is_gone(pid) for pid in [*pids, *backends])
    for server in ("postgres", "valkey"):
        sockets.release(folder / server)

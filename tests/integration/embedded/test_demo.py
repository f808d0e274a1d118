"""`make demo` as a person meets it: one story, because each start is a matter of seconds."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

Gone = Callable[[int], bool]
COLD_SECONDS, WARM_SECONDS = 240.0, 90.0


class Demo:
    """One run of the demo in a process of its own, and what it said."""

    def __init__(self, state: Path, *, port: int) -> None:
        self.state = state
        self._said = (state.parent / f"said-{time.monotonic_ns()}").open("w+")
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PRIVATE_VIEW_", "DJANGO_"))
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "embedded.demo", "--state", state],
            stdout=self._said,
            stderr=subprocess.STDOUT,
            env=own | {"PORT": str(port)},
            start_new_session=True,
        )

    @property
    def said(self) -> str:
        return Path(self._said.name).read_text()

    def wait_until(self, words: str, seconds: float) -> str:
        """The line that holds `words`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = re.search(f".*{words}.*", self.said)
            if found:
                return found[0]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        pytest.fail(f"the demo never said {words!r}; it said:\n{self.said}")

    def wait_until_open(self, seconds: float) -> str:
        """Its address."""
        return self.wait_until("Private View is open: http", seconds).rsplit(" ", 1)[1]

    def descendants(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self._said.close()


@pytest.fixture
def start_demo(folder: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def start(*, port: int = 18000) -> Demo:
        started.append(Demo(folder / "var", port=port))
        return started[-1]

    yield start
    for demo in started:
        demo.close()


def managed(state: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """One of Django's commands beside the demo of that folder."""
    line = [sys.executable, "-m", "embedded.manage", "--state", str(state), *command]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def command_of(pid: int) -> str:
    return " ".join(psutil.Process(pid).cmdline())


@pytest.mark.timeout(600)
def test_the_demo_opens_survives_what_happens_and_leaves_nothing_behind(
    start_demo: Callable[..., Demo], is_gone: Gone
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        first = start_demo(port=taken)
        address = first.wait_until_open(COLD_SECONDS)
        assert f"Port {taken} is taken" in first.said
        assert not address.endswith(f":{taken}")
        assert httpx.get(f"{address}/health").json()["healthy"] is True
        first.wait_until("curl http", 5)

    second = start_demo()
    assert second.process.wait(20) == 1
    assert f"already runs from this folder (process {first.process.pid}, {address})" in second.said

    web = next(pid for pid in first.descendants() if "uvicorn" in command_of(pid))
    os.kill(web, signal.SIGKILL)
    first.wait_until("web runs again", 20)
    assert httpx.get(
        f"{address}/health", timeout=60
    ).is_success  # it waits on the open socket, and is not refused

    everybody = first.descendants()
    assert len(everybody) >= 6
    first.process.kill()
    assert all(is_gone(pid) for pid in everybody)

    third = start_demo()
    address = third.wait_until_open(WARM_SECONDS)
    assert httpx.get(f"{address}/health").is_success
    beside = managed(third.state, "workers", "--json")
    assert '"alive": true' in beside.stdout
    everybody = third.descendants()
    third.process.send_signal(signal.SIGINT)
    assert third.process.wait(40) == 0
    assert "Closed." in third.said
    assert "The demo does not run" in managed(third.state, "workers").stderr
    assert all(is_gone(pid) for pid in everybody)

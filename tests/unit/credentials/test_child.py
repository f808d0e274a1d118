"""The process that reads a file: behind everything else, and not blamed on the file when it got no time."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from generation.credentials import child
from generation.credentials.chain import Chain
from generation.credentials.child import read_apart
from generation.credentials.reader import read
from generation.errors import Transient


def reading(seconds: float = 20) -> psutil.Process:
    """The process that reads, once it comes last."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for one in psutil.Process().children():
            if "generation.credentials" in one.cmdline() and one.nice() == 19:
                return one
        time.sleep(0.02)
    raise AssertionError("no process reads behind everything else")


def test_reads_behind_everything_else(tmp_path: Path) -> None:
    fifo = tmp_path / "file"
    os.mkfifo(fifo)  # whoever opens it waits until somebody writes
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(read_apart, fifo, None)
        try:
            assert reading().is_running()
        finally:
            with fifo.open("wb"):
                pass
        assert found.result(30).state == "unreadable"


@pytest.mark.parametrize("kind", ["video/mp4", "image/png"])
def test_tells_what_the_reader_has_found(kind: str, signed: dict[str, Path], own_chain: Chain) -> None:
    here, apart = read(signed[kind], own_chain.root), read_apart(signed[kind], own_chain.root)
    assert (apart.state, apart.failures, apart.claims) == (here.state, here.failures, here.claims)
    assert apart.certificate == here.certificate is not None


def test_who_got_no_time_of_the_machine_is_not_called_too_heavy(
    signed: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_LONGEST", 0.01)
    with pytest.raises(Transient, match="no time to read"):
        read_apart(signed["image/png"], None)
    monkeypatch.setattr(child, "_HEAVY", 0.0)
    assert read_apart(signed["image/png"], None).state == "too_heavy"
    assert not [one for one in psutil.Process().children() if "generation.credentials" in one.cmdline()]

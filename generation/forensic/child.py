"""Starts a trace in a process of its own, listens to it, ends it."""

from __future__ import annotations

import base64
import io
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, Final

import numpy as np

from generation.errors import SpecRejected, Transient
from generation.forensic.trace import Issued, Named, Progress, Reading, Stopped

_LONGEST: Final = 300.0  # seconds, and as many more for each key
_POLL: Final = 0.2
_ROOT: Final = Path(__file__).parents[2]
_HEAVY: Final = "This file takes more than a trace may have of memory or time."


def trace_apart(
    path: Path,
    issued: Sequence[Issued],
    *,
    progress: Progress = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Reading:
    """As `trace`, from a file, under limits of memory and time, and without our environment.

    Raises SpecRejected with a sentence on the file, Stopped, Transient where the process could not do its work.
    """
    command = [sys.executable, "-m", "generation.forensic", str(path.resolve())]
    env = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=_ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        feeder = Thread(target=_feed, args=(process, issued), daemon=True)
        feeder.start()
        try:
            for line in _lines(process, stopped, _LONGEST * (1 + len(issued))):
                if "stage" in line:
                    progress(line["done"], line["total"], line["stage"])
                else:
                    return _answer(line)
        finally:
            process.kill()
            feeder.join()
    raise SpecRejected(
        "file_too_heavy", _HEAVY
    )  # it died without a word: the limits, or a decoder that fell over


def _feed(process: subprocess.Popen[bytes], issued: Sequence[Issued]) -> None:
    packed = io.BytesIO()
    arrays: dict[str, Any] = {"epochs": np.array([one.epoch for one in issued], dtype=np.str_)}
    for at, one in enumerate(issued):
        arrays |= {
            f"key{at}": np.frombuffer(one.key, np.uint8),
            f"numbers{at}": one.numbers,
            f"words{at}": one.words,
        }
    np.savez(packed, **arrays)
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(packed.getbuffer())


def _lines(
    process: subprocess.Popen[bytes], stopped: Callable[[], bool], longest: float
) -> Iterator[dict[str, Any]]:
    deadline, waiting = time.monotonic() + longest, b""
    if process.stdout is None:
        raise Transient("the trace has no output")
    with selectors.DefaultSelector() as listening:
        listening.register(process.stdout, selectors.EVENT_READ)
        while True:
            if stopped():
                raise Stopped
            if time.monotonic() > deadline:
                return
            if listening.select(_POLL):
                said = os.read(process.stdout.fileno(), 1 << 20)
                if not said:
                    return
                *whole, waiting = (waiting + said).split(b"\n")
                yield from (json.loads(line) for line in whole)


def _answer(line: dict[str, Any]) -> Reading:
    if "refused" in line:
        raise SpecRejected(line["refused"], line["sentence"])
    found = line["reading"]
    pictures = {name: base64.b64decode(png) for name, png in found["pictures"].items()}
    named = tuple(Named(**one) for one in found["named"])
    return Reading(**(found | {"named": named, "controls": tuple(found["controls"]), "pictures": pictures}))

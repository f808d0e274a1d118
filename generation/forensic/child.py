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
from typing import IO, Any, Final

import numpy as np

from generation.errors import SpecRejected, Transient
from generation.forensic.decode import TOO_HEAVY
from generation.forensic.trace import Issued, Named, Progress, Reading, Stopped

_LONGEST: Final = 300.0  # seconds, and as many more for each key
_POLL: Final = 0.2
_ROOT: Final = Path(__file__).parents[2]


def trace_apart(
    path: Path,
    issued: Sequence[Issued],
    *,
    progress: Progress = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Reading:
    """As `trace`, from a file, under limits of memory and time, and without our environment: one process decodes it,
    another has the keys and reads.

    Raises SpecRejected with a sentence on the file, Stopped, Transient where a process could not do its work.
    """
    with _started("generation.forensic.decode", str(path.resolve())) as decoder:
        frames = _output(decoder).fileno()
        with _started("generation.forensic", str(frames), stdin=subprocess.PIPE, pass_fds=[frames]) as reader:
            _output(decoder).close()  # the reader alone has it now, and the decoder ends with the reader
            feeder = Thread(target=_feed, args=(reader, issued), daemon=True)
            feeder.start()
            try:
                for line in _lines(reader, stopped, _LONGEST * (1 + len(issued))):
                    if "stage" in line:
                        progress(line["done"], line["total"], line["stage"])
                    else:
                        return _answer(line)
                if (reader.poll() or 0) > 0:
                    raise Transient(f"the process that reads ended with {reader.returncode}")
            finally:
                decoder.kill()
                reader.kill()
                feeder.join()
    raise SpecRejected(*TOO_HEAVY)  # it was ended by its limits, or by our patience


def _started(
    module: str, argument: str, *, stdin: int = subprocess.DEVNULL, pass_fds: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", module, argument],
        cwd=_ROOT,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1"},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=pass_fds,
    )


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        raise Transient("the process has no output")
    return process.stdout


def _feed(process: subprocess.Popen[bytes], issued: Sequence[Issued]) -> None:
    packed = io.BytesIO()
    arrays: dict[str, Any] = {"epochs": np.array([one.epoch for one in issued], dtype=np.str_)}
    for at, one in enumerate(issued):
        arrays |= {
            f"key{at}": np.frombuffer(one.key, np.uint8),
            f"numbers{at}": one.numbers,
            f"words{at}": one.words,
            f"told{at}": np.ones(len(one.words), bool) if one.told is None else one.told,
        }
    np.savez(packed, **arrays)
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(packed.getbuffer())


def _lines(
    process: subprocess.Popen[bytes], stopped: Callable[[], bool], longest: float
) -> Iterator[dict[str, Any]]:
    deadline, waiting, output = time.monotonic() + longest, b"", _output(process)
    with selectors.DefaultSelector() as listening:
        listening.register(output, selectors.EVENT_READ)
        while True:
            if stopped():
                raise Stopped
            if time.monotonic() > deadline:
                return
            if listening.select(_POLL):
                said = os.read(output.fileno(), 1 << 20)
                if not said:
                    process.wait(_POLL * 10)
                    return
                *whole, waiting = (waiting + said).split(b"\n")
                yield from (json.loads(line) for line in whole)


def _answer(line: dict[str, Any]) -> Reading:
    if "fault" in line:
        raise Transient(line["fault"])
    if "refused" in line:
        raise SpecRejected(line["refused"], line["sentence"])
    found = line["reading"]
    pictures = {name: base64.b64decode(png) for name, png in found["pictures"].items()}
    named = tuple(Named(**one) for one in found["named"])
    return Reading(**(found | {"named": named, "controls": tuple(found["controls"]), "pictures": pictures}))

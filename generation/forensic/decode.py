"""`python -m generation.forensic.decode FILE`: the frames of a suspect file, decoded where there is nothing to take.

A file that was made to take over its decoder finds no key here and no number: this process has the file, and a pipe to
the one that reads. Each frame is a line of JSON and then its luma; a refusal is a line alone.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from generation.errors import SpecRejected, Transient
from generation.forensic.frames import MOST_PIXELS, sampled
from generation.forensic.residual import Frame
from generation.limited import limit

MEMORY: Final = 3 * 2**30  # bytes of address space
SECONDS: Final = 240  # of CPU: an hour of a film takes some
TOO_HEAVY: Final = ("file_too_heavy", "This file takes more than a trace may have of memory or time.")
_LONGEST_LINE: Final = 4000
_KINDS: Final = ("|u1", "<u2")


def main() -> None:
    limit(memory=MEMORY, seconds=SECONDS)
    out = sys.stdout.buffer
    try:
        for frame in sampled(Path(sys.argv[1])):
            _send(out, frame)
        _say(out, ended=True)
    except SpecRejected as refusal:
        _say(out, refused=refusal.code, sentence=refusal.sentence)
    except MemoryError:
        _say(out, refused=TOO_HEAVY[0], sentence=TOO_HEAVY[1])
    except Exception:  # noqa: BLE001 - whoever waits has to know that it was not the file
        _say(out, fault=traceback.format_exc()[-_LONGEST_LINE // 2 :])


def received(pipe: BinaryIO) -> Iterator[Frame]:
    """The other end. Raises SpecRejected: what the decoder refused, and file_too_heavy where it ended without a word;
    Transient for a fault of ours.

    Nothing that comes is believed: sizes are limited, and what is no frame ends it.
    """
    while True:
        told = _line(pipe)
        if "refused" in told:
            raise SpecRejected(str(told["refused"]), str(told["sentence"])[:300])
        if "fault" in told:
            raise Transient(str(told["fault"]))
        if told.get("ended"):
            return
        yield _frame(pipe, told)


def _send(out: BinaryIO, frame: Frame) -> None:
    luma = np.ascontiguousarray(frame.luma)
    _say(out, shape=luma.shape, kind=luma.dtype.str, at=frame.at, whole=frame.whole)
    out.write(luma.data)


def _say(out: BinaryIO, **what: Any) -> None:
    out.write(json.dumps(what).encode() + b"\n")
    out.flush()


def _line(pipe: BinaryIO) -> dict[str, Any]:
    line = pipe.readline(_LONGEST_LINE)
    try:
        told = json.loads(line)
    except ValueError:
        raise SpecRejected(*TOO_HEAVY) from None
    if not isinstance(told, dict):
        raise SpecRejected(*TOO_HEAVY)
    return told


def _frame(pipe: BinaryIO, told: dict[str, Any]) -> Frame:
    try:
        height, width = (int(side) for side in told["shape"])
        at, kind = float(told["at"]), np.dtype(_KINDS[_KINDS.index(told["kind"])])
    except (KeyError, TypeError, ValueError):
        raise SpecRejected(*TOO_HEAVY) from None
    if height < 1 or width < 1 or height * width > MOST_PIXELS:
        raise SpecRejected(*TOO_HEAVY)
    luma = np.empty((height, width), kind)
    if pipe.readinto(luma.data.cast("B")) != luma.nbytes:  # type: ignore[attr-defined]
        raise SpecRejected(*TOO_HEAVY)
    return Frame(luma, at, bool(told.get("whole")))


if __name__ == "__main__":
    main()

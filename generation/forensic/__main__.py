"""`python -m generation.forensic DESCRIPTOR`: one trace, in a process that may take little.

Frames come from another process that has decoded them (`decode.py`), through the pipe with that number; the numbers
that were issued and the keys come on standard input (npz); progress and the answer go to standard output, a line of
JSON each. No decoder runs here, beside the keys.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import os
import sys
import traceback
from typing import Any, Final

import cv2
import numpy as np

from generation.errors import SpecRejected
from generation.forensic.decode import TOO_HEAVY, received
from generation.forensic.trace import Issued, trace
from generation.limited import limit

MEMORY: Final = 4 * 2**30  # bytes of address space
SECONDS: Final = 120  # of CPU, and as many more for each key under which it is looked at


def main() -> None:
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as sent:
        issued = [
            Issued(
                str(epoch),
                sent[f"key{at}"].tobytes(),
                sent[f"numbers{at}"],
                sent[f"words{at}"],
                sent[f"told{at}"],
            )
            for at, epoch in enumerate(sent["epochs"])
        ]
    cv2.setNumThreads(1)
    limit(memory=MEMORY, seconds=SECONDS * (1 + len(issued)))
    try:
        with os.fdopen(int(sys.argv[1]), "rb") as pipe:
            found = trace(received(pipe), issued, progress=_tell_progress)
    except SpecRejected as refusal:
        _tell(refused=refusal.code, sentence=refusal.sentence)
    except Exception as fault:  # noqa: BLE001 - whoever waits has to know whether it was the file
        if isinstance(fault, MemoryError) or getattr(fault, "code", None) == cv2.Error.STS_NO_MEM:
            _tell(refused=TOO_HEAVY[0], sentence=TOO_HEAVY[1])
        else:
            _tell(fault=traceback.format_exc()[-2000:])
    else:
        pictures = {name: base64.b64encode(png).decode() for name, png in found.pictures.items()}
        _tell(reading=dataclasses.asdict(found) | {"pictures": pictures})


def _tell_progress(done: int, total: int, stage: str) -> None:
    _tell(done=done, total=total, stage=stage)


def _tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()

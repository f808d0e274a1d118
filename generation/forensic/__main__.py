"""`python -m generation.forensic FILE`: one trace, in a process that may take little and reach nothing.

The numbers that were issued and the keys come on standard input (npz), progress and the answer go to standard output, a
line of JSON each. A file that was made to do harm takes this process with it, and nothing else.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import sys
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from generation.errors import SpecRejected
from generation.forensic.frames import sampled
from generation.forensic.trace import Issued, trace
from generation.limited import limit

MEMORY: Final = 4 * 2**30  # bytes of address space
SECONDS: Final = 120  # of CPU, and as many more for each key under which it is looked at


def main() -> None:
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as sent:
        issued = [
            Issued(str(epoch), sent[f"key{at}"].tobytes(), sent[f"numbers{at}"], sent[f"words{at}"])
            for at, epoch in enumerate(sent["epochs"])
        ]
    cv2.setNumThreads(1)
    limit(memory=MEMORY, seconds=SECONDS * (1 + len(issued)))
    try:
        found = trace(sampled(Path(sys.argv[1])), issued, progress=_tell_progress)
    except SpecRejected as refusal:
        _tell(refused=refusal.code, sentence=refusal.sentence)
    except MemoryError:
        _tell(refused="file_too_heavy", sentence="This file takes more memory than a trace may have.")
    else:
        pictures = {name: base64.b64encode(png).decode() for name, png in found.pictures.items()}
        _tell(reading=dataclasses.asdict(found) | {"pictures": pictures})


def _tell_progress(done: int, total: int, stage: str) -> None:
    _tell(done=done, total=total, stage=stage)


def _tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()

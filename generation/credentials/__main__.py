"""`python -m generation.credentials FILE`: reads one file in a process that may take little and reach nothing.

The roots to trust come on standard input (PEM), the answer goes to standard output as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Final

from generation.limited import limit

MEMORY: Final = 2 * 2**30  # bytes of address space
SECONDS: Final = 20  # of CPU
LAST: Final = 19  # of all niceness: pages and renders come first


def main() -> None:
    os.nice(LAST)  # before the native library is loaded, which takes longer than most files to read
    from generation.credentials.reader import read

    anchors = sys.stdin.buffer.read()
    limit(memory=MEMORY, seconds=SECONDS)
    found = dataclasses.asdict(read(Path(sys.argv[1]), anchors or None))
    print(json.dumps(found, default=str))  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()

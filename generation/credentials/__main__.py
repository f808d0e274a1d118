"""`python -m generation.credentials FILE`: reads one file in a process that may take little and reach nothing.

The roots to trust come on standard input (PEM), the answer goes to standard output as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Final

from generation.credentials.reader import read
from generation.limited import limit

MEMORY: Final = 2 * 2**30  # bytes of address space
SECONDS: Final = 20  # of CPU


def main() -> None:
    anchors = sys.stdin.buffer.read()
    limit(memory=MEMORY, seconds=SECONDS)
    found = dataclasses.asdict(read(Path(sys.argv[1]), anchors or None))
    print(json.dumps(found, default=str))  # noqa: T201 - read by the process that started this one


if __name__ == "__main__":
    main()

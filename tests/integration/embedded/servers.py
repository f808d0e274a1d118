"""A program for the tests to kill: starts both servers in a folder, says so, and waits."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from embedded.postgres import Postgres
from embedded.valkey import Valkey


def main() -> None:
    state = Path(sys.argv[1])
    postgres, valkey = Postgres(state / "postgres"), Valkey(state / "valkey")
    postgres.start()
    valkey.start()
    print(postgres.pid, valkey.pid, flush=True)
    time.sleep(120)


if __name__ == "__main__":
    main()

"""One of Django's commands beside the running demo: `python -m embedded.manage [--state FOLDER] verify_audit`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from embedded.commands import ROOT
from embedded.house import House
from embedded.keeper import Keeper


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, usage="%(prog)s [--state FOLDER] command ...")
    parser.add_argument(
        "--state", type=Path, default=ROOT / "var", help="the folder that the demo was started with"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what manage.py is told")
    asked = parser.parse_args()
    state: Path = asked.state.resolve()
    if not (state / "keys.json").exists():
        sys.exit(f"There is no demo in {state} yet. Start it with `make demo`.")
    holder = (state / "lock").read_text(errors="replace") if (state / "lock").exists() else ""
    if "http" not in holder:
        sys.exit("The demo does not run. Start it with `make demo`, in another terminal.")
    url = holder[holder.index("http") :].strip()
    house = House(state, keeper=Keeper(print), pause=time.sleep)
    keys: dict[str, str] = json.loads((state / "keys.json").read_text())
    env = house.environment(url=url, keys=keys)
    os.execve(sys.executable, [sys.executable, str(ROOT / "manage.py"), *asked.command], env)  # noqa: S606 - ours


if __name__ == "__main__":
    main()

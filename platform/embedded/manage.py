"""One of Django's commands beside the running demo: `python -m embedded.manage verify_audit`."""

from __future__ import annotations

import json
import os
import sys
import time

from embedded.commands import ROOT
from embedded.house import House
from embedded.keeper import Keeper

PATH = ROOT / "var"


def main() -> None:
    if not (PATH / "keys.json").exists():
        sys.exit("There is no demo in this folder yet. Start it with `make demo`.")
    holder = (PATH / "lock").read_text(errors="replace") if (PATH / "lock").exists() else ""
    if "http" not in holder:
        sys.exit("The demo does not run. Start it with `make demo`, in another terminal.")
    url = holder[holder.index("http") :].strip()
    house = House(PATH, keeper=Keeper(print), pause=time.sleep)
    keys: dict[str, str] = json.loads((PATH / "keys.json").read_text())
    env = house.environment(url=url, keys=keys)
    os.execve(sys.executable, [sys.executable, str(ROOT / "manage.py"), *sys.argv[1:]], env)  # noqa: S606 - ours


if __name__ == "__main__":
    main()

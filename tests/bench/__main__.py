"""`python -m tests.bench`: figures, each beside another's in the same run. Five minutes at most.

Needs nothing but this machine: loopback and Unix sockets. The peers live in `.venv-bench`, made at the first run.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from tests.bench import jobs, reads
from tests.bench.installation import Installation
from tests.bench.measure import tell
from tests.clients import venvs

HERE = Path(__file__).parent


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--reads", type=int, default=1000, help="status reads a round")
    options.add_argument("--only", choices=["jobs", "reads"])
    chosen = options.parse_args()
    try:
        peers = venvs.python_of("bench", HERE / "requirements.txt")
    except venvs.CannotInstall as fault:
        raise SystemExit(str(fault)) from None
    begun = time.monotonic()
    house = Installation()
    try:
        _run(house, peers, chosen)
    finally:
        house.close()
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    tell(
        f"\n{time.monotonic() - begun:.0f} s; {os.cpu_count()} processors, load {load}. Ratios count, not milliseconds."
    )


def _run(house: Installation, peers: Path, chosen: argparse.Namespace) -> None:
    house.start_stores()
    member = house.furnish()
    web = house.start_web()
    if chosen.only != "reads":
        worker = house.start_worker()
        stores = (house.postgres.pid, house.valkey.pid)
        jobs.run(jobs.peers(house, member, peers, (web, worker)), stores, rounds=chosen.rounds, seconds=90)
    if chosen.only != "jobs":
        from django.conf import settings

        reads.fill(house, member)
        twin = reads.start_twin(house, peers, settings.TOKEN_PEPPER)
        reads.run(house, member, web, twin, rounds=chosen.rounds, reads=chosen.reads, seconds=60)


if __name__ == "__main__":
    main()

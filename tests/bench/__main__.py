"""`python -m tests.bench`: figures, each beside another's in the same run. Ten minutes at most on a quiet machine.

Needs nothing but this machine: loopback and Unix sockets. The peers live in `.venv-bench`, made at the first run.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import encode, eta, null, overhead, reads
from tests.bench.furniture import Member, furnish
from tests.bench.installation import Installation
from tests.bench.measure import tell
from tests.clients import venvs

HERE = Path(__file__).parent
# Rounds at most, and the seconds after which none begins.
PARTS = {"null": (5, 90), "eta": (eta.JOBS, 120), "overhead": (10, 150), "encode": (3, 60), "reads": (3, 50)}


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("--only", choices=list(PARTS), nargs="+", default=list(PARTS))
    options.add_argument("--rounds", type=int, help="of each part; of eta: clips")
    options.add_argument("--seconds", type=float, help="after which no round of a part begins")
    options.add_argument("--reads", type=int, default=1000, help="status reads a round")
    chosen = options.parse_args()
    begun = time.monotonic()
    if "encode" in chosen.only:
        rounds, seconds = _limits("encode", chosen)
        encode.run(rounds=rounds, seconds=seconds)
        _load(begun)
    if others := [part for part in PARTS if part in chosen.only and part != "encode"]:
        _with_house(others, chosen, begun)


def _with_house(parts: Sequence[str], chosen: argparse.Namespace, begun: float) -> None:
    try:
        peers = venvs.python_of("bench", HERE / "requirements.txt")
    except venvs.CannotInstall as fault:
        raise SystemExit(str(fault)) from None
    house = Installation()
    try:
        house.start_stores()
        members = furnish(house)
        with house.web() as web:
            for part in parts:
                _run(part, house, members, peers, web, chosen)
                _load(begun)
    finally:
        house.close()


def _run(
    part: str,
    house: Installation,
    members: tuple[Member, Member],
    peers: Path,
    web: int,
    chosen: argparse.Namespace,
) -> None:
    rounds, seconds = _limits(part, chosen)
    member = members[0]
    if part == "null":
        null.run(house, member, peers, web, rounds=rounds, seconds=seconds)
    elif part == "eta":
        eta.run(house, members, jobs=rounds, seconds=seconds)
    elif part == "overhead":
        overhead.run(house, member, web, rounds=rounds, seconds=seconds)
    else:
        from django.conf import settings

        reads.fill(house, member)
        twin = reads.start_twin(house, peers, settings.TOKEN_PEPPER)
        reads.run(house, member, web, twin, rounds=rounds, reads=chosen.reads, seconds=seconds)


def _limits(part: str, chosen: argparse.Namespace) -> tuple[int, float]:
    rounds, seconds = PARTS[part]
    return chosen.rounds or rounds, chosen.seconds or seconds


def _load(begun: float) -> None:
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    tell(
        f"\n{time.monotonic() - begun:.0f} s; {os.cpu_count()} processors, load {load}. Ratios count, not milliseconds."
    )


if __name__ == "__main__":
    main()

"""What a null job costs, function by function, and statement by statement.

`python -m tests.bench.profile`: requests, the turns of a worker and polls, each by itself in this process: CPU time,
then a profile (which makes Python's share look larger than it is), then the statements of one of each.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.furniture import FILES, Member, furnish
from tests.bench.installation import ROOT, Installation
from tests.bench.measure import tell

JOBS = 60
_ROWS = 40


def main() -> None:
    house = Installation()
    try:
        house.start_stores()
        member, _ = furnish(house)
        _profile(member)
    finally:
        house.close()


class _Jobs:
    """The two doors: what a web process does, and what a worker does between two messages."""

    def __init__(self, member: Member) -> None:
        from django.test import Client

        self._door = Client(headers={"host": "127.0.0.1", "authorization": f"Bearer {member.token}"})
        self._last = ""

    def request(self) -> None:
        order = json.dumps({"model": FILES, "prompt": "a red boat"})
        self._last = self._door.post("/v1/videos", order, content_type="application/json").json()["id"]

    def poll(self) -> None:
        self._door.get(f"/v1/videos/{self._last}")

    def turns(self) -> None:
        """Until nothing waits."""
        from generation.worker import run

        run.drain(FILES)


def _profile(member: Member) -> None:
    jobs = _Jobs(member)
    jobs.request()
    jobs.turns()
    measured: dict[str, tuple[Callable[[], None], int]] = {
        "request": (jobs.request, JOBS),
        "worker's turn": (jobs.turns, 1),
        "poll of a finished clip": (jobs.poll, JOBS),
    }
    for way in (_timed, _profiled):
        for name, (work, repeats) in measured.items():
            way(name, work, repeats)
    _statements("request", jobs.request)
    _statements("poll of a clip that waits", jobs.poll)
    _timed("poll of a clip that waits", jobs.poll, JOBS)
    _statements("worker's turn", jobs.turns)


def _timed(name: str, work: Callable[[], None], repeats: int) -> None:
    begun = time.process_time()
    for _ in range(repeats):
        work()
    tell(f"\n== {name}: {(time.process_time() - begun) / JOBS * 1e3:.2f} ms of CPU each")


def _profiled(name: str, work: Callable[[], None], repeats: int) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(repeats):
        work()
    profiler.disable()
    tell(f"\n== {name}, {JOBS} of them")
    table: Any = pstats.Stats(profiler, stream=sys.stdout)
    table.sort_stats("cumulative").print_stats(f"{ROOT}/(platform|generation|review)/", _ROWS)
    table.strip_dirs().sort_stats("tottime").print_stats(_ROWS)


def _statements(name: str, work: Callable[[], None]) -> None:
    from django.db import connection

    tell(f"\n== statements of one {name}")
    connection.force_debug_cursor = True
    connection.queries_log.clear()
    work()
    for entry in connection.queries_log:
        tell(f"{entry['time']} s  {' '.join(entry['sql'].split())[:150]}")
    connection.force_debug_cursor = False


if __name__ == "__main__":
    main()

"""Are waits told honestly? What was told at the request beside when the clip really started and was finished.

Two members ask in bursts of mixed lengths for clips whose every step takes the same time; one worker takes turns.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from tests.bench.furniture import LENGTHS, PACED, Member
from tests.bench.installation import Installation
from tests.bench.measure import Http, tell

JOBS = 100
_BURST = (1, 6)  # clips, fewest and most
_PAUSE = 0.5  # seconds a clip until the next burst: about what a worker needs, so that lines form and end
_NEAR = 0.2
_DRAIN = 120.0
_TRUE = """
SELECT public_id, extract(epoch FROM started_at - created_at)::text, extract(epoch FROM finished_at - created_at)::text
FROM generation_video WHERE public_id = ANY(%s) AND finished_at IS NOT NULL AND state = 'completed'
"""
Pair = tuple[float, float]
"""Predicted and true, in seconds."""


def run(house: Installation, members: Sequence[Member], *, jobs: int, seconds: float) -> None:
    """A clip of each length comes first, unasked for its prediction: nothing is told before anything was measured."""
    with house.worker(PACED):
        clients = [_Client(house, member) for member in members]
        for length in LENGTHS * 2:
            _wait(house, [asyncio.run(clients[0].ask(length))[0]])
        told = asyncio.run(_ask(clients, jobs, seconds))
        _wait(house, list(told))
    with house.postgres.connect(database=house.postgres.database) as connection:
        rows = connection.execute(_TRUE, [list(told)]).fetchall()
    _tell(told, {str(name): (float(str(started)), float(str(ended))) for name, started, ended in rows})


async def _ask(clients: Sequence[_Client], jobs: int, seconds: float) -> dict[str, float | None]:
    """Public ids, and the seconds until the start as the answer to the request told them."""
    chance, told, until = random.Random(7), dict[str, float | None](), time.monotonic() + seconds
    while len(told) < jobs and time.monotonic() < until:
        burst = min(chance.randint(*_BURST), jobs - len(told))
        client = chance.choice(clients)
        for _ in range(burst):
            video, wait = await client.ask(chance.choice(LENGTHS))
            told[video] = wait
        await asyncio.sleep(chance.uniform(0.5, 1.5) * _PAUSE * burst)
    return told


class _Client:
    def __init__(self, house: Installation, member: Member) -> None:
        self._port, self._token = urlsplit(house.url).port or 0, member.token

    async def ask(self, length: int) -> tuple[str, float | None]:
        http = Http(self._port, self._token)
        order = {"model": PACED, "prompt": "a red boat", "seconds": str(length)}
        video = await http.ask("POST", "/v1/videos", json.dumps(order).encode())
        http.close()
        return video["id"], (video["queue"] or {}).get("eta_seconds")


def _wait(house: Installation, videos: list[str]) -> None:
    """Without a poll: what is measured is not disturbed."""
    deadline = time.monotonic() + _DRAIN
    while time.monotonic() < deadline:
        with house.postgres.connect(database=house.postgres.database) as connection:
            left = connection.execute(
                "SELECT count(*) FROM generation_video WHERE public_id = ANY(%s) AND finished_at IS NULL",
                [videos],
            ).fetchone()
        if left == (0,):
            return
        time.sleep(0.3)


def _tell(told: dict[str, float | None], true: dict[str, Pair]) -> None:
    from django.db import connection

    from generation.queries.waiting import calibration

    starts = [(wait, true[name][0]) for name, wait in told.items() if wait is not None and name in true]
    ends = [(row.predicted, row.true) for row in calibration(len(told)) if row.public_id in told]
    connection.close()
    tell(
        f"\nETA, {len(told)} clips of two members, {len(true)} of them finished: told at the request, and as it was"
    )
    tell(
        "| until | told | true median s (longest) | median error s | within 20 % | of those longer than 2 s | bias s |"
    )
    tell("|---|---|---|---|---|---|---|")
    for name, pairs in (("the start, in whole seconds", starts), ("the finished clip", ends)):
        if pairs:
            tell(_row(name, pairs))


def _row(name: str, pairs: Sequence[Pair]) -> str:
    """Bias is the mean of told less true: above zero means told too long."""
    truths = [true for _, true in pairs]
    error = statistics.median(abs(predicted - true) for predicted, true in pairs)
    longer = [pair for pair in pairs if pair[1] > 2]
    bias = statistics.mean(predicted - true for predicted, true in pairs)
    return (
        f"| {name} | {len(pairs)} | {statistics.median(truths):.1f} ({max(truths):.1f}) | {error:.2f} "
        f"| {_near(pairs)} | {_near(longer)} | {bias:+.2f} |"
    )


def _near(pairs: Sequence[Pair]) -> str:
    near = sum(abs(predicted - true) <= _NEAR * true for predicted, true in pairs)
    return f"{near} of {len(pairs)} ({100 * near / len(pairs):.0f} %)" if pairs else "-"

"""From the request to the finished job, beside a bare Celery task and Gradio."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.installation import ROOT, Installation, Member, free_port
from tests.bench.measure import Http, Job, Loop, closed_loop, cpu_seconds, said, tell

MANY = 16
_LONGEST = 60.0  # seconds that a job may take before the run is given up


@dataclass(frozen=True)
class Peer:
    """`pids` are its server's and worker's; `one` and `many` the jobs of a round with 1 and with 16 clients."""

    name: str
    job: Callable[[int], Job]
    pids: tuple[int, ...]
    one: int
    many: int


def peers(house: Installation, member: Member, gradio: Path, pids: tuple[int, ...]) -> list[Peer]:
    """Starts the others; ours runs already, as `pids`."""
    port = free_port()
    page = house.start(
        "gradio",
        [gradio, ROOT / "tests" / "bench" / "gradio_app.py", str(port)],
        f"http://127.0.0.1:{port}/config",
    )
    os.environ["BENCH_REDIS"] = house.env["BENCH_REDIS"] = house.valkey.url
    start = ("-m", "celery", "-A", "tests.bench.bare_celery:app", "worker", "--pool", "solo")
    quiet = ("--without-gossip", "--without-mingle", "--queues", "bench-bare", "--hostname", "bare@%h")
    bare = house.start("celery", [sys.executable, *start, *quiet, "--loglevel", "INFO"], " ready.")
    own = urlsplit(house.url).port or 0
    return [
        Peer("Private View", lambda clients: _ours(own, member.token, clients), pids, 8, 32),
        Peer("Celery, the same render and nothing else", lambda _: _celery("pipeline"), (bare,), 8, 32),
        Peer("Celery, a task that does nothing", lambda _: _celery("nothing"), (bare,), 50, 320),
        Peer("Gradio, a function that does nothing", lambda _: _gradio(port), (page,), 30, 160),
    ]


def run(chosen: list[Peer], stores: tuple[int, ...], *, rounds: int, seconds: float) -> None:
    """Rounds are interleaved: what else the machine does meanwhile meets all of them. None begins after `seconds`."""
    one: dict[str, list[Loop]] = {peer.name: [] for peer in chosen}
    many: dict[str, list[Loop]] = {peer.name: [] for peer in chosen}
    kept: dict[str, list[float]] = {peer.name: [] for peer in chosen}
    until = time.monotonic() + seconds
    for peer in chosen:
        asyncio.run(closed_loop(peer.job(1), clients=1, jobs=3, pids=peer.pids))
    for _ in range(rounds):
        if one[chosen[0].name] and time.monotonic() > until:
            break
        for peer in chosen:
            one[peer.name].append(
                asyncio.run(closed_loop(peer.job(1), clients=1, jobs=peer.one, pids=peer.pids))
            )
            before = cpu_seconds(stores)
            loop = asyncio.run(closed_loop(peer.job(MANY), clients=MANY, jobs=peer.many, pids=peer.pids))
            kept[peer.name].append((cpu_seconds(stores) - before) / len(loop.latencies))
            many[peer.name].append(loop)
    _tell(chosen, one, many, kept)


def _tell(
    chosen: list[Peer], one: dict[str, list[Loop]], many: dict[str, list[Loop]], kept: dict[str, list[float]]
) -> None:
    tell(f"\nSubmit to done, closed loop, {len(one[chosen[0].name])} rounds: median (range)")
    tell("| peer | 1 client, p50 ms | 16 clients, jobs/s | CPU ms a job | stores' CPU ms a job |")
    tell("|---|---|---|---|---|")
    for peer in chosen:
        first, then = one[peer.name], many[peer.name]
        tell(
            f"| {peer.name} | {said([loop.p50 for loop in first], 1e3)} | {said([loop.per_second for loop in then])} "
            f"| {said([loop.cpu_each for loop in then], 1e3)} | {said(kept[peer.name], 1e3)} |"
        )
    ours, render = (many[peer.name] for peer in chosen[:2])
    times = statistics.median(loop.cpu_each for loop in ours) / statistics.median(
        loop.cpu_each for loop in render
    )
    web, worker = ([loop.trees[tree] / len(loop.latencies) for loop in ours] for tree in (0, 1))
    tell(
        f"\nOurs is x {times:.2f} of the bare render: web {said(web, 1e3)} ms, worker {said(worker, 1e3)} ms a job."
    )


def _ours(port: int, token: str, clients: int) -> Job:
    free: list[Http] = []
    # Alone, a client asks often enough to see the end; of many, each waits for the others first. (We advise 2 s.)
    first, longest = (0.002, 0.02) if clients == 1 else (0.1, 1.0)

    async def job() -> None:
        http = free.pop() if free else Http(port, token)
        video = await http.ask("POST", "/v1/videos", json.dumps({"prompt": "a red boat"}).encode())
        await _until_done(http, video["id"], first, longest)
        free.append(http)

    return job


async def _until_done(http: Http, video: str, first: float, longest: float) -> None:
    """Each wait is a third longer than the one before. Seconds."""
    pause, deadline = first, time.monotonic() + _LONGEST
    while True:
        await asyncio.sleep(pause)
        state = (await http.ask("GET", f"/v1/videos/{video}"))["status"]
        if state == "completed":
            return
        if state == "failed" or time.monotonic() > deadline:
            raise SystemExit(f"{video} is {state}")
        pause = min(longest, pause * 1.3)


def _celery(task: str) -> Job:
    from tests.bench import bare_celery

    signature = getattr(bare_celery, task)

    def whole() -> None:
        signature.apply_async().get(timeout=_LONGEST, interval=0.002)

    async def job() -> None:
        await asyncio.to_thread(whole)

    return job


def _gradio(port: int) -> Job:
    free: list[Http] = []

    async def job() -> None:
        http = free.pop() if free else Http(port)
        call = await http.ask("POST", "/gradio_api/call/render", b'{"data": ["a red boat"]}')
        told = await http.events(f"/gradio_api/call/render/{call['event_id']}")
        if b"event: complete" not in told:
            raise SystemExit(f"Gradio said {told[-300:]!r}")
        free.append(http)

    return job

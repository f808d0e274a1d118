"""From the request to the finished job with a model that does nothing, beside Gradio and a bare Celery task.

Our jobs are claimed, leased, stored as files, charged and written into the audit log, durably; theirs are not.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.furniture import FILES, Member
from tests.bench.installation import ROOT, Installation, free_port
from tests.bench.measure import Http, Job, Loop, closed_loop, cpu_seconds, said, tell

MANY = 16
_LONGEST = 60.0  # seconds that a job may take before the run is given up
_ORDER = json.dumps({"model": FILES, "prompt": "a red boat"}).encode()


@dataclass(frozen=True)
class Peer:
    """`pids` are its server's and worker's; `ones` and `manys` the jobs of a round with 1 and with 16 clients."""

    name: str
    job: Callable[[int], Job]
    pids: tuple[int, ...]
    ones: int
    manys: int
    one: list[Loop] = field(default_factory=list)
    many: list[Loop] = field(default_factory=list)
    stores: list[float] = field(default_factory=list)
    """Processor seconds of both stores, a job."""


def run(house: Installation, member: Member, python: Path, web: int, *, rounds: int, seconds: float) -> None:
    with house.worker(FILES) as worker:
        chosen = _peers(house, member, python, (web, worker))
        stores = (house.postgres.pid, house.valkey.pid)
        for peer in chosen:
            asyncio.run(closed_loop(peer.job(1), clients=1, jobs=3, pids=peer.pids))
        until = time.monotonic() + seconds
        for number in range(rounds):
            # Whatever else the machine does meanwhile meets all of them, and nobody always comes first.
            for peer in chosen[number % len(chosen) :] + chosen[: number % len(chosen)]:
                _round(peer, stores)
            if time.monotonic() > until:
                break
    durable = " ".join(f"{name} {house.setting(name)}" for name in ("fsync", "synchronous_commit"))
    _tell(chosen, durable)


def _peers(house: Installation, member: Member, gradio: Path, pids: tuple[int, ...]) -> list[Peer]:
    """Starts the others; ours runs already, as `pids`."""
    port = free_port()
    script = ROOT / "tests" / "bench" / "gradio_app.py"
    page = house.start("gradio", [gradio, script, str(port)], f"http://127.0.0.1:{port}/config")
    os.environ["BENCH_REDIS"] = house.env["BENCH_REDIS"] = house.valkey.url
    start = ("-m", "celery", "-A", "tests.bench.bare_celery:app", "worker", "--pool", "solo")
    quiet = ("--without-gossip", "--without-mingle", "--queues", "bench-bare", "--hostname", "bare@%h")
    bare = house.start("celery", [sys.executable, *start, *quiet, "--loglevel", "INFO"], " ready.")
    own = urlsplit(house.url).port or 0
    return [
        Peer("Private View, polled", lambda clients: _polled(own, member.token, clients), pids, 30, 128),
        Peer("Private View, event stream", lambda _: _streamed(own, member), pids, 30, 128),
        Peer("Gradio, a function that does nothing", lambda _: _gradio(port), (page,), 30, 160),
        Peer("Celery, a task that does nothing", lambda _: _celery(), (bare,), 50, 320),
    ]


def _round(peer: Peer, stores: tuple[int, ...]) -> None:
    peer.one.append(asyncio.run(closed_loop(peer.job(1), clients=1, jobs=peer.ones, pids=peer.pids)))
    before = cpu_seconds(stores)
    loop = asyncio.run(closed_loop(peer.job(MANY), clients=MANY, jobs=peer.manys, pids=peer.pids))
    peer.stores.append((cpu_seconds(stores) - before) / len(loop.latencies))
    peer.many.append(loop)


def _tell(chosen: list[Peer], durable: str) -> None:
    tell(f"\nNull: submit to done, closed loop, {len(chosen[0].one)} rounds: median (range); {durable}")
    tell("| peer | 1 client, p50 ms | 16 clients, jobs/s | CPU ms a job | web, worker | stores |")
    tell("|---|---|---|---|---|---|")
    for peer in chosen:
        trees = (
            [loop.trees[tree] / len(loop.latencies) for loop in peer.many]
            for tree in range(len(peer.pids))
            if len(peer.pids) > 1
        )
        parts = ", ".join(f"{1e3 * statistics.median(tree):.1f}" for tree in trees)
        tell(
            f"| {peer.name} | {said([loop.p50 for loop in peer.one], 1e3)} "
            f"| {said([loop.per_second for loop in peer.many])} "
            f"| {said([loop.cpu_each for loop in peer.many], 1e3)} | {parts or '-'} | {said(peer.stores, 1e3)} |"
        )
    gradio = chosen[2]
    for peer in chosen[:2]:
        waits = [our.p50 / their.p50 for our, their in zip(peer.one, gradio.one, strict=True)]
        rates = [our.per_second / their.per_second for our, their in zip(peer.many, gradio.many, strict=True)]
        tell(
            f"\n{peer.name}: x {said(waits, digits=2)} of Gradio's median, "
            f"x {said(rates, digits=2)} of its jobs a second."
        )


def _polled(port: int, token: str, clients: int) -> Job:
    free: list[Http] = []
    # Alone, a client asks often enough to see the end; of many, each waits for the others first. (We advise 2 s.)
    first, longest = (0.002, 0.02) if clients == 1 else (0.1, 1.0)

    async def job() -> None:
        http = free.pop() if free else Http(port, token)
        video = (await http.ask("POST", "/v1/videos", _ORDER))["id"]
        pause, deadline = first, time.monotonic() + _LONGEST
        while True:  # each wait is a third longer than the one before
            await asyncio.sleep(pause)
            state = (await http.ask("GET", f"/v1/videos/{video}"))["status"]
            if state == "completed":
                break
            if state == "failed" or time.monotonic() > deadline:
                raise SystemExit(f"{video} is {state}")
            pause = min(longest, pause * 1.3)
        free.append(http)

    return job


def _streamed(port: int, member: Member) -> Job:
    """The stream is the pages' (the API has none): asked for by token, watched as a browser that is signed in does."""
    free: list[Http] = []

    async def job() -> None:
        http = free.pop() if free else Http(port, member.token)
        video = (await http.ask("POST", "/v1/videos", _ORDER))["id"]
        told = await asyncio.wait_for(http.events(f"/events/videos/{video}", cookie=member.cookie), _LONGEST)
        if b'"state": "completed"' not in told:
            raise SystemExit(f"the stream of {video} said {told[-300:]!r}")
        free.append(http)

    return job


def _celery() -> Job:
    from tests.bench import bare_celery

    def whole() -> None:
        bare_celery.nothing.apply_async().get(timeout=_LONGEST, interval=0.002)

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

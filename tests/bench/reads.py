"""What one status read costs, with 100,000 rows, beside FastAPI and asyncpg."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from urllib.parse import quote, urlsplit

from tests.bench.furniture import Member
from tests.bench.installation import ROOT, Installation, free_port
from tests.bench.measure import Http, Job, Loop, closed_loop, cpu_seconds, said, tell

ROWS = 100_000
CONNECTIONS = 16
_INSERT = """
INSERT INTO generation_video (public_id, request, take, code, membership_id, variant_id, requested_by, state, prompt,
    styled_prompt, earlier_prompt, negative_prompt, completed_prompt, ignored_words, relation, seed, width, height,
    seconds, fps, steps, guidance, cost, created_at, queued_at, attempts_made, lease_worker, lease_token,
    lease_expires_at, started_at, finished_at, error_code, error_sentence)
SELECT 'video_bench' || n, 'req_bench' || n, 1, 'B' || lpad(n::text, 8, '0'), %(membership)s, %(variant)s,
    'token:bench', CASE WHEN n %% 2 = 0 THEN 'in_progress' ELSE 'failed' END,
    'a red boat drifting left over the sea', '', '', '', '', '{}', '', n, 160, 90, 1, 24, 4,
    1.0, 1, now() - n * interval '1 second', now(), 1, '', CASE WHEN n %% 2 = 0 THEN gen_random_uuid() END,
    CASE WHEN n %% 2 = 0 THEN now() + interval '1 day' END, now(), CASE WHEN n %% 2 = 1 THEN now() END,
    CASE WHEN n %% 2 = 1 THEN 'render_failed' ELSE '' END, CASE WHEN n %% 2 = 1 THEN 'A fault of ours.' ELSE '' END
FROM generate_series(1, %(rows)s) n
"""


def fill(house: Installation, member: Member) -> None:
    """Half of the videos are rendering, half have ended."""
    with house.postgres.connect(database=house.postgres.database) as connection:
        connection.execute(
            _INSERT, {"membership": member.membership_id, "variant": member.variant_id, "rows": ROWS}
        )
        connection.execute("VACUUM ANALYZE")


def start_twin(house: Installation, python: Path, pepper: str) -> tuple[int, int]:
    """Its port and its process."""
    port = free_port()
    env = house.env | {
        "BENCH_PEPPER": pepper,
        "BENCH_DSN": f"postgresql://{house.postgres.role}@/{house.postgres.database}"
        f"?host={quote(str(house.postgres.socket), safe='/')}",
        "PYTHONPATH": str(ROOT / "tests" / "bench"),
    }
    serve = [
        "-m",
        "uvicorn",
        "twin:app",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]  # logs each request, as ours does
    return port, house.start("twin", [python, *serve], f"http://127.0.0.1:{port}/health", env=env)


def run(
    house: Installation,
    member: Member,
    web: int,
    twin: tuple[int, int],
    *,
    rounds: int,
    reads: int,
    seconds: float,
) -> None:
    own = urlsplit(house.url).port or 0
    places = {
        "Private View, a video that renders": (own, web, 0),
        "Private View, a video that has ended": (own, web, 1),
        "FastAPI + asyncpg, a video that renders": (*twin, 0),
        "FastAPI + asyncpg, a video that has ended": (*twin, 1),
    }
    loops: dict[str, list[Loop]] = {name: [] for name in places}
    stores: dict[str, list[float]] = {name: [] for name in places}
    until, done = time.monotonic() + seconds, 0
    for round_ in range(rounds + 1):  # the first one warms up
        if done and time.monotonic() > until:
            break
        done = round_
        for name, (port, pid, odd) in places.items():
            before = cpu_seconds([house.postgres.pid])
            job = _reader(port, member.token, odd)
            loop = asyncio.run(closed_loop(job, clients=CONNECTIONS, jobs=reads, pids=[pid]))
            if round_:
                loops[name].append(loop)
                stores[name].append((cpu_seconds([house.postgres.pid]) - before) / reads)
    tell(f"\nStatus read, {ROWS:,} rows, 1 process, {CONNECTIONS} connections, {done} rounds: median (range)")
    tell("| target | CPU us a request | PostgreSQL us | requests/s | p50 ms |\n|---|---|---|---|---|")
    for name, made in loops.items():
        tell(
            f"| {name} | {said([loop.cpu_each for loop in made], 1e6, 0)} | {said(stores[name], 1e6, 0)} "
            f"| {said([loop.per_second for loop in made], 1, 0)} | {said([loop.p50 for loop in made], 1e3)} |"
        )
    for kind in ("renders", "has ended"):
        ours, theirs = (
            statistics.median(loop.cpu_each for loop in loops[f"{who}, a video that {kind}"])
            for who in ("Private View", "FastAPI + asyncpg")
        )
        tell(f"\nA video that {kind}: x {ours / theirs:.2f} of the twin's CPU.")


def _reader(port: int, token: str, odd: int) -> Job:
    free: list[Http] = []
    chance = random.Random(port + odd)
    names: Iterator[int] = cycle([2 * chance.randrange(1, ROWS // 2) + odd for _ in range(5000)])

    async def job() -> None:
        http = free.pop() if free else Http(port, token)
        await http.ask("GET", f"/v1/videos/video_bench{next(names)}")
        free.append(http)

    return job

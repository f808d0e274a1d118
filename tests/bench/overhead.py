"""What the house adds to a render: from the request to the stored files, beside a script with the same pipeline.

Both render with the built-in model, loaded and warm, and run the same ffmpeg command. Ours is asked by the API and
polled as our answers advise. Processor time of the trees: web, worker and ffmpeg beside script and ffmpeg. Each has one
torch thread: two wait for each other by spinning, and on a busy machine a clip then takes 4 to 10 s of CPU time.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.bench.furniture import TURBO, Member
from tests.bench.installation import ROOT, Installation
from tests.bench.measure import Http, cpu_seconds, said, tell

SIZE, SECONDS = (640, 360), 4
_PROMPT = "a red sailing boat drifting left over the water"
_LONGEST = 300.0  # seconds that a clip may take before the run is given up


@dataclass
class Round:
    """Processor seconds of one clip made each way."""

    web: float = 0.0
    worker: float = 0.0
    stores: float = 0.0
    bare: float = 0.0

    @property
    def ratio(self) -> float:
        return (self.web + self.worker) / self.bare


@dataclass
class Script:
    """The bare script, waiting for a line."""

    process: subprocess.Popen[str]
    orders: dict[str, Any] = field(default_factory=dict)

    def make(self, prompt: str, seed: int, *, digest: bool = False) -> str:
        order = self.orders | {"prompt": prompt, "seed": seed, "digest": digest}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the bare script has ended; its complaint stands above")
        return line.strip()


def run(house: Installation, member: Member, web: int, *, rounds: int, seconds: float) -> None:
    """One clip of each warms up and shows that both make the same frames. No round begins after `seconds`."""
    made: list[Round] = []
    house.env["PRIVATE_VIEW_TORCH_THREADS"] = "1"
    with house.worker(TURBO) as worker, _script(house) as script:
        ours = _Ours(house, member)
        clip = ours.make(0)
        if script.make(clip["completed_prompt"], 0, digest=True) != _digest(house, clip["id"]):
            raise SystemExit("the bare script makes other frames than the worker: nothing to compare")
        until = time.monotonic() + seconds
        for number in range(1, rounds + 1):
            made.append(_round(house, ours, script, (web, worker), number, clip["completed_prompt"]))
            if time.monotonic() > until:
                break
    _tell(made, ours.steps)


def _round(
    house: Installation, ours: _Ours, script: Script, pids: tuple[int, int], number: int, prompt: str
) -> Round:
    """Ours goes first in every other round."""
    taken = Round()

    def house_makes() -> None:
        stores = (house.postgres.pid, house.valkey.pid)
        before = [cpu_seconds([pid]) for pid in pids], cpu_seconds(stores)
        ours.make(number)
        taken.web, taken.worker = (
            cpu_seconds([pid]) - spent for pid, spent in zip(pids, before[0], strict=True)
        )
        taken.stores = cpu_seconds(stores) - before[1]

    def script_makes() -> None:
        before = cpu_seconds([script.process.pid])
        script.make(prompt, number)
        taken.bare = cpu_seconds([script.process.pid]) - before

    for work in (house_makes, script_makes) if number % 2 else (script_makes, house_makes):
        work()
    return taken


class _Ours:
    """A client that orders, and polls as it is told to."""

    def __init__(self, house: Installation, member: Member) -> None:
        self._port, self._token = urlsplit(house.url).port or 0, member.token
        models = asyncio.run(Http(self._port, self._token).ask("GET", f"/v1/models/{TURBO}"))
        self.steps: int = models["steps"]

    def make(self, seed: int) -> dict[str, Any]:
        return asyncio.run(self._make(seed))

    async def _make(self, seed: int) -> dict[str, Any]:
        http = Http(self._port, self._token)
        order = {"model": TURBO, "prompt": _PROMPT, "size": "x".join(map(str, SIZE)), "seconds": str(SECONDS)}
        video = await http.ask("POST", "/v1/videos", json.dumps(order | {"seed": seed}).encode())
        deadline = time.monotonic() + _LONGEST
        while video["status"] != "completed":
            if video["status"] == "failed" or time.monotonic() > deadline:
                raise SystemExit(f"{video['id']} is {video['status']}: {video['error']}")
            await asyncio.sleep(2)
            video = await http.ask("GET", f"/v1/videos/{video['id']}")
        http.close()
        return dict(video)


@contextmanager
def _script(house: Installation) -> Iterator[Script]:
    from config.demo import story

    folder = house.folder / "bare"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bare_render", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=house.env,
        cwd=ROOT,
        text=True,
    )
    turbo = story.TURBO
    script = Script(
        process,
        {
            "size": SIZE,
            "seconds": SECONDS,
            "fps": turbo.rates[0],
            "steps": turbo.steps,
            "guidance": turbo.guidance,
        },
    )
    try:
        script.answer()
        yield script
    finally:
        process.kill()
        process.wait()


def _digest(house: Installation, video: str) -> str:
    with house.postgres.connect(database=house.postgres.database) as connection:
        row = connection.execute(
            "SELECT m.frames_sha256 FROM generation_master m JOIN generation_video v ON v.id = m.video_id "
            "WHERE v.public_id = %s",
            [video],
        ).fetchone()
    return str(row[0]) if row else ""


def _tell(made: list[Round], steps: int) -> None:
    size = "x".join(map(str, SIZE))
    tell(
        f"\nOverhead, built-in model, {steps} steps, {SECONDS} s of {size}, {len(made)} interleaved rounds: "
        "CPU s a clip"
    )
    tell("| web | worker | stores | bare script | ours / bare |\n|---|---|---|---|---|")
    columns = [[one.web for one in made], [one.worker for one in made], [one.stores for one in made]]
    cells = [said(column, digits=3) for column in [*columns, [one.bare for one in made]]]
    tell(f"| {' | '.join(cells)} | x {said([one.ratio for one in made], digits=3)} |")
    with_stores = statistics.median((one.web + one.worker + one.stores) / one.bare for one in made)
    tell(f"\nMedian of the rounds' ratios (range). With the stores' time as well: x {with_stores:.3f}.")

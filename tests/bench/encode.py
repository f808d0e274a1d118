"""What each file of a clip costs: CPU time of ffmpeg with more and more outputs, and of a whole `finish`.

`python -m tests.bench.encode`: ten seconds at 1920x1080 from native frames of 160x96, two from native frames of full
size, and one second at 160x90. Rounds are interleaved; medians and ranges, and ratios to the clip alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

from generation.media import encode, graph
from generation.media.plan import Plan
from generation.pipeline import Rendered, finish
from generation.spec import CopyMark, FileKind, ForensicMark, Frames, Image, RenderSpec, VisibleMark
from tests.bench.measure import said, tell

MARK = CopyMark(VisibleMark("Private View", "K7QM-2XPD"), forensic=ForensicMark(4711, bytes(32)))
PICTURES: tuple[FileKind, ...] = ("mp4", "poster", "sprite", "sheet")
CASES = {
    "10 s, 1920x1080 from 80 frames of 160x96": Plan((160, 96), 80, (1920, 1080), 10, 24),
    "2 s, 1920x1080 from 48 frames of 1920x1080": Plan((1920, 1080), 48, (1920, 1080), 2, 24),
    "1 s, 160x90 from 16 frames of 160x90": Plan((160, 90), 16, (160, 90), 1, 24),
}


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.encode", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    run(rounds=rounds, seconds=600)
    tell(f"\n{os.cpu_count()} processors, load {' '.join(f'{value:.1f}' for value in os.getloadavg())}")


def run(*, rounds: int, seconds: float) -> None:
    """No round begins after `seconds`, save one of each case."""
    until = time.monotonic() + seconds
    for name, plan in CASES.items():
        _case(name, plan, rounds if plan.seconds > 1 else 7 * rounds, until)


def _case(name: str, plan: Plan, rounds: int, until: float) -> None:
    rows: dict[str, Callable[[], None]] = {
        "the clip and its source": lambda: _ffmpeg(plan, ("mp4",)),
        "with poster, sprite, sheet": lambda: _ffmpeg(plan, PICTURES),
        "finish: marked, all read back": lambda: _finish(plan),
    }
    taken: dict[str, list[float]] = {row: [] for row in rows}
    done = 0
    while done < rounds and not (done and time.monotonic() > until):
        for row, work in rows.items():
            before = _cpu()
            work()
            taken[row].append(_cpu() - before)
        done += 1
    alone = statistics.median(taken["the clip and its source"])
    tell(f"\nEncode, {name}: CPU s, median of {done} (range)")
    for row, values in taken.items():
        tell(f"  {row:38s} {said(values, digits=3):24s} x {statistics.median(values) / alone:.2f}")


def _ffmpeg(plan: Plan, kinds: tuple[FileKind, ...]) -> None:
    """The same filters and options as `finish`, for some of the files; frames are written without a look at them, and
    without marks. The source is always among the files: the first of the two processes writes it."""
    with tempfile.TemporaryDirectory() as name:
        plates = encode.draw_plates(MARK.visible, plan, Path(name))
        outputs = graph.outputs(plan, plates, plan.frames // 2)
        writing = [get_ffmpeg_exe(), *graph.compiled([outputs[kind] for kind in kinds], plan)]
        with (
            subprocess.Popen(
                [get_ffmpeg_exe(), *graph.stretching(plan)],
                cwd=name,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ) as stretch,
            subprocess.Popen(writing, cwd=name, stdin=stretch.stdout, stdout=subprocess.DEVNULL) as written,
        ):
            assert stretch.stdin is not None
            for image in _images(plan):
                stretch.stdin.write(image.data)
            stretch.stdin.close()
        assert (stretch.returncode, written.returncode) == (0, 0)


def _finish(plan: Plan) -> None:
    (width, height), (native_width, native_height) = plan.size, plan.native
    spec = RenderSpec("bars", 1, width, height, plan.seconds, plan.fps, 1, 1.0)
    frames = Frames(_images(plan), plan.native_count, native_width, native_height, "bars")
    with tempfile.TemporaryDirectory() as name:
        finish(Rendered(spec, frames, 0.0), mark=MARK, folder=Path(name), cancelled=lambda: False)


def _images(plan: Plan) -> Iterator[Image]:
    """A soft ground with a little grain, over which a bar goes from left to right."""
    width, height = plan.native
    down = np.linspace(40, 160, height, dtype=np.float32)[:, None, None]
    grain = np.random.default_rng(3).normal(0, 2.5, (2, height, width, 1)).astype(np.float32)
    grounds = [
        np.clip(down + one + np.array([0, 10, 30], np.float32), 0, 255).astype(np.uint8) for one in grain
    ]
    for index in range(plan.native_count):
        image = grounds[index % 2].copy()
        left = index * (width - width // 8) // max(1, plan.native_count - 1)
        image[height // 4 : -height // 4, left : left + width // 8] = (230, 200, 150)
        yield image


def _cpu() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


if __name__ == "__main__":
    main()

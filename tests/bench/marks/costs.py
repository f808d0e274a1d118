"""What a mark costs: CPU time of drawing it beside that of the encoder, and of looking for it.

`python -m tests.bench.marks.costs`: panned photographs, one thread everywhere. Marking is set against `x264 veryfast`
in the same run; tracing is timed in ten seconds of 1920x1080 that carry a number, and in ten that do not.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from generation.forensic.child import trace_apart
from generation.forensic.code import code_of
from generation.forensic.embed import Embedder
from generation.media.visible import VisibleMarker
from generation.spec import VisibleMark
from tests.bench.marks import runs
from tests.bench.marks.clips import CLIPS, Clip, Luma
from tests.bench.measure import said, tell

SIZES: Final = ((1920, 1080), (1280, 720), (512, 512))
_FRAMES: Final = 48


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.marks.costs", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    cv2.setNumThreads(1)
    tell("| picture | forensic ms a frame | visible | x264 veryfast, one thread | forensic / x264 |")
    tell("|---|---|---|---|---|")
    for size in SIZES:
        _marking(size, rounds)
    _tracing()
    tell(f"\n{os.cpu_count()} processors, load {' '.join(f'{value:.1f}' for value in os.getloadavg())}")


def _marking(size: tuple[int, int], rounds: int) -> None:
    clip = Clip("cost", "natural", *size, 24, _FRAMES / 24, ("china",))
    lumas = list(clip.lumas())
    taken: dict[str, list[float]] = {"forensic": [], "visible": [], "x264": []}
    for _ in range(rounds):
        taken["forensic"].append(_spent(partial(_draw_forensic, lumas, size)))
        taken["visible"].append(_spent(partial(_draw_visible, lumas, size)))
        taken["x264"].append(_spent(partial(_encode, clip)))
    ratio = statistics.median(a / b for a, b in zip(taken["forensic"], taken["x264"], strict=True))
    cells = (said(each, 1000 / _FRAMES) for each in taken.values())
    tell(f"| {size[0]} x {size[1]} | {' | '.join(cells)} | {ratio:.2f} |")


def _draw_forensic(lumas: list[Luma], size: tuple[int, int]) -> None:
    embedder = Embedder(code_of(runs.KEY), 4711, clip="cost", width=size[0], height=size[1], fps=24)
    for index, luma in enumerate(lumas):
        embedder.apply(luma.copy(), index)


def _draw_visible(lumas: list[Luma], size: tuple[int, int]) -> None:
    width, height = size
    text = VisibleMark("Private View", "K7QM-2XPD")
    marker = VisibleMarker(text, "plate", width=width, height=height, fps=24, schedule_key=bytes(32))
    chroma = np.full((height // 2, width), 128, np.uint8)
    for index, luma in enumerate(lumas):
        marker.apply(np.vstack([luma, chroma]), index)


def _encode(clip: Clip) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs.unmarked(clip, Path(folder))


def _tracing() -> None:
    (clip,) = (clip for clip in CLIPS if clip.seconds == 10 and clip.height == 1080)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        number = int(runs.issued().numbers[7])
        marked, plain = runs.marked(clip, [number], folder)[0][0], runs.unmarked(clip, folder)
        tell(f"\n{clip.name}, 10 s, {marked.stat().st_size / 1e6:.1f} MB, 100,000 numbers")
        for what, file in (("marked, found as it is", marked), ("not marked, searched whole", plain)):
            began, before = time.monotonic(), _cpu()
            found = trace_apart(
                file, [runs.issued()]
            )  # as the office runs it, with its controls and pictures
            tell(
                f"{what}: {_cpu() - before:.1f} CPU s, {time.monotonic() - began:.1f} s; z {found.best_z:.1f}, "
                f"{found.alignments} alignments"
            )


def _spent(work: Callable[[], object]) -> float:
    before = _cpu()
    work()
    return _cpu() - before


def _cpu() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


if __name__ == "__main__":
    main()

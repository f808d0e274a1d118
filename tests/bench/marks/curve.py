"""What more strength would bring, and what it would cost in visibility.

`python -m tests.bench.marks.curve [--clips PART ...] [--treatments PART ...]`: clips that are hard to read, marked at
several strengths, through treatments that are hard to come through. A line a strength.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2

from tests.bench.marks import runs
from tests.bench.marks.attacks import ATTACKS, Given
from tests.bench.marks.clips import CLIPS, Clip
from tests.bench.measure import tell

GAINS: Final = (0.7, 0.85, 1.0, 1.25, 1.5, 2.0)
_CLIPS: Final = ("astronaut pan 512x512", "carphone still 512x512", "grass pan 1280x720")
_TREATMENTS: Final = ("x264 crf 33", "perspective", "picture in picture", "2 s of the second")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.marks.curve", description=__doc__)
    options.add_argument("--clips", nargs="+", default=_CLIPS, help="whose name holds one of these")
    options.add_argument("--treatments", nargs="+", default=_TREATMENTS, help="likewise")
    chosen = options.parse_args()
    clips = [clip for clip in CLIPS if any(part in clip.name for part in chosen.clips)]
    names = [attack.name for attack in ATTACKS if any(part in attack.name for part in chosen.treatments)]
    tell(f"| clip | strength | PSNR-Y | SSIM | {' | '.join(names)} |")
    tell("|---" * (4 + len(names)) + "|")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for row in pool.map(partial(_row, names), [(clip, gain) for clip in clips for gain in GAINS]):
            tell(row)


def _row(names: list[str], what: tuple[Clip, float]) -> str:
    clip, gain = what
    cv2.setNumThreads(1)
    number = int(runs.issued().numbers[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made, quality = runs.marked(clip, [number], folder, gain=gain)
        other = runs.unmarked(CLIPS[(CLIPS.index(clip) + 7) % len(CLIPS)], folder)
        given = Given(made, other, folder, clip.width, clip.height, clip.fps)
        read = [runs.read(attack, given, [number]) for attack in ATTACKS if attack.name in names]
    cells = (clip.name, f"{gain:.2f}", str(quality["psnr"]), str(quality["ssim"]), *map(_said, read))
    return f"| {' | '.join(cells)} |"


def _said(line: dict[str, Any]) -> str:
    return f"{line['z']:.1f}" if line["named"] else f"({line['z']:.1f})"


if __name__ == "__main__":
    main()

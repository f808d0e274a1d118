"""`make bench-marks`: the mark on clips that nobody chose for it, through everything that is done to clips.

`python -m tests.bench.marks [--full] [--results FILE]`: the short form takes some clips and treatments, the full one
all; both go on where they were stopped, for each run leaves a line. `--table` shows what is there.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path

from tests.bench.marks import runs, sources, table
from tests.bench.marks.attacks import ATTACKS
from tests.bench.marks.clips import CLIPS
from tests.bench.measure import tell

_STRIDE = 5  # the short form takes every fifth clip
_SHORT = (
    "none",
    "x264 crf 28",
    "x264 crf 33",
    "360 lines",
    "HEVC crf 28",
    "2 s of it",
    "crop 10 %",
    "still, JPEG 75",
    "GIF, 480 wide",
    "recorded from a phone's screen",
    "stretch 4 %",
    "social: crop 5 %, 720, crf 30",
    "estimate x 1.6, each half second",
    "2 copies averaged",
)


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.marks", description=__doc__)
    options.add_argument("--full", action="store_true")
    options.add_argument("--results", type=Path, default=sources.CACHE / "results.jsonl")
    options.add_argument("--table", action="store_true", help="only show what has been measured")
    options.add_argument("--only", nargs="+", default=[], help="treatments whose name holds one of these")
    options.add_argument("--clips", nargs="+", default=[], help="likewise of clips")
    chosen = options.parse_args()
    if not chosen.table:
        _measure(chosen)
    table.show(table.lines(chosen.results))


def _measure(chosen: argparse.Namespace) -> None:
    chosen.results.parent.mkdir(parents=True, exist_ok=True)
    done = {(line["clip"], line["treatment"]) for line in table.lines(chosen.results)}
    short = CLIPS[::_STRIDE]
    # Of each kind some, wherever it is stopped.
    mixed = [clip for first in range(_STRIDE) for clip in CLIPS[first::_STRIDE]]
    clips = mixed if chosen.full or chosen.clips else short
    names = [attack.name for attack in ATTACKS if chosen.full or chosen.only or attack.name in _SHORT]
    wanted = [
        (clip.name, name)
        for clip in clips
        for name in ["quality", *names]
        if (not chosen.only or any(part in name for part in chosen.only))
        and (not chosen.clips or any(part in clip.name for part in chosen.clips))
        and (clip.name, name) not in done
    ]
    jobs = [
        (clip, [name for _, name in group], chosen.results)
        for clip, group in groupby(wanted, key=lambda job: job[0])
    ]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, _ in enumerate(pool.map(_clip, jobs), start=1):
            tell(f"{number} of {len(jobs)} clips")


def _clip(job: tuple[str, list[str], Path]) -> None:
    """Each line is kept as soon as it is known; several processes append to one file."""
    name, names, results = job
    clip = next(clip for clip in CLIPS if clip.name == name)
    with tempfile.TemporaryDirectory() as folder, results.open("a", encoding="utf-8", buffering=1) as out:
        for line in runs.measured(clip, names, Path(folder)):
            out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()

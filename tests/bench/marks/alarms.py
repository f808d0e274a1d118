"""What is read where nothing is: no number may be found in clips that were never marked, or under other keys.

`python -m tests.bench.marks.alarms [--results FILE]`: each clip as it was delivered, never marked and marked under a
foreign key, untouched and after a social platform, read under fresh keys: some readings without geometry, some whole
searches. A line a reading; goes on where it was stopped. `--table` shows what is there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import cv2

from generation.forensic.code import Code
from generation.forensic.frames import sampled
from generation.forensic.geometry import Fit
from generation.forensic.reading import read
from generation.forensic.residual import residuals
from generation.forensic.sync import Ear
from generation.forensic.trace import FINDING, LEAD, Issued, trace
from generation.forensic.views import Material
from tests.bench.marks import runs, sources, table
from tests.bench.marks.attacks import ATTACKS, Given
from tests.bench.marks.clips import CLIPS, Clip
from tests.bench.measure import tell

_AS_IT_IS: Final = 12  # keys under which each file is read without geometry
_WHOLE: Final = 2  # keys under which it is searched whole
_TREATED: Final = "social: crop 5 %, 720, crf 30"
FILES: Final = tuple((mark, treated) for mark in ("none", "foreign key") for treated in (False, True))


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.marks.alarms", description=__doc__)
    options.add_argument("--results", type=Path, default=sources.CACHE / "alarms.jsonl")
    options.add_argument("--table", action="store_true", help="only show what has been measured")
    options.add_argument("--no-searches", action="store_true", help="only readings without geometry")
    chosen = options.parse_args()
    if not chosen.table:
        _measure(chosen.results, 0 if chosen.no_searches else _WHOLE)
    _show(list(table.lines(chosen.results)))


def _measure(results: Path, searches: int) -> None:
    done = {
        (line["clip"], line["mark"], line["treated"], line["search"], line["key"])
        for line in table.lines(results)
    }
    jobs = []
    for clip in CLIPS:
        wanted = [
            (mark, treated, search, key)
            for mark, treated in FILES
            for search, count in ((False, _AS_IT_IS), (True, searches))
            for key in range(count)
            if (clip.name, mark, treated, search, key) not in done
        ]
        if wanted:
            jobs.append((clip, wanted))
    results.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, _ in enumerate(pool.map(partial(_clip, results), jobs), start=1):
            tell(f"{number} of {len(jobs)} clips")


def _clip(results: Path, job: tuple[Clip, list[tuple[str, bool, bool, int]]]) -> None:
    """Each line is kept as soon as it is known; several processes append to one file."""
    clip, wanted = job
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder, results.open("a", encoding="utf-8", buffering=1) as out:
        files = _files(clip, Path(folder))
        for (mark, treated), readings in groupby(wanted, key=itemgetter(0, 1)):
            material = Material(residuals(sampled(files[mark, treated])))
            for *_, search, key in readings:
                line = {"clip": clip.name, "mark": mark, "treated": treated, "search": search, "key": key}
                unused = _key(clip, mark, treated, key)
                told = _searched(files[mark, treated], unused) if search else _as_it_is(material, unused)
                out.write(json.dumps(line | told) + "\n")


def _files(clip: Clip, folder: Path) -> dict[tuple[str, bool], Path]:
    (attack,) = (attack for attack in ATTACKS if attack.name == _TREATED)
    plain = runs.unmarked(clip, folder)
    made: dict[tuple[str, bool], Path] = {}
    for mark in ("none", "foreign key"):
        apart = folder / mark.split()[0]
        apart.mkdir()
        file = plain if mark == "none" else runs.marked(clip, [4711], apart, key=bytes(32))[0][0]
        given = Given([file], plain, apart, clip.width, clip.height, clip.fps)
        made |= {(mark, False): file, (mark, True): attack.apply(given)}
    return made


def _key(clip: Clip, mark: str, treated: bool, number: int) -> bytes:
    """Another one for each reading."""
    return hashlib.sha256(f"{clip.name} {mark} {treated} {number}".encode()).digest()


def _as_it_is(material: Material, key: bytes) -> dict[str, Any]:
    """As a trace does it first: every frame at its own size, whatever its place."""
    code = Code(key)
    signals = read(material.whole, Fit(), Ear(code))
    z = max(float(signal.table(code).z(runs.issued().words).max()) for signal in signals)
    return {"z": round(z, 2), "sync": round(max(signal.sync for signal in signals), 2)}


def _searched(file: Path, key: bytes) -> dict[str, Any]:
    """The codewords are those of another key: which ones, does not matter to chance."""
    issued, cpu = runs.issued(), time.process_time()
    found = trace(sampled(file), [Issued("unused", key, issued.numbers, issued.words)], controls=0)
    spent = round(time.process_time() - cpu, 1)
    return {"z": round(found.best_z, 2), "alignments": found.alignments, "cpu": spent}


def _show(rows: list[dict[str, Any]]) -> None:
    tell("\n| what | readings | z: median, 99 %, most | leads (7.5) | findings (8.5) | CPU s: median, most |")
    tell("|---|---|---|---|---|---|")
    for mark in ("none", "foreign key"):
        for search in (False, True):
            found = [row for row in rows if row["mark"] == mark and row["search"] is search]
            if found:
                _row(f"{mark}, {'whole search' if search else 'as it is'}", found)


def _row(what: str, rows: list[dict[str, Any]]) -> None:
    z = sorted(row["z"] for row in rows)
    cpu = [row["cpu"] for row in rows if "cpu" in row]
    tell(
        f"| {what} | {len(z)} | {statistics.median(z):.2f}, {z[int(0.99 * (len(z) - 1))]:.2f}, {z[-1]:.2f} | "
        f"{sum(value >= LEAD for value in z)} | {sum(value >= FINDING for value in z)} | "
        + (f"{statistics.median(cpu):.0f}, {max(cpu):.0f} |" if cpu else "|")
    )


if __name__ == "__main__":
    main()

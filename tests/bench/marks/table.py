"""What was measured, as a table in Markdown."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.marks.attacks import ATTACKS, Attack
from tests.bench.measure import tell


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """What has been measured so far, a run a line."""
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def show(measured: Iterable[dict[str, Any]]) -> None:
    rows = list(measured)
    quality = [row for row in rows if row["treatment"] == "quality"]
    if quality:
        _quality(quality)
    tell("\n| treatment | named | not tuned with | z median (least) | stage | CPU s, median (most) | wrong |")
    tell("|---|---|---|---|---|---|---|")
    for attack in ATTACKS:
        found = [row for row in rows if row["treatment"] == attack.name]
        for row in found:
            if "refused" in row:
                tell(f"  {attack.name} of {row['clip']} could not be read: {row['refused']}")
        if found := [row for row in found if "refused" not in row]:
            _row(attack, found)


def _quality(rows: list[dict[str, Any]]) -> None:
    psnr, ssim = ([row[name] for row in rows] for name in ("psnr", "ssim"))
    tell(
        f"{len(rows)} clips: PSNR-Y least {min(psnr)}, median {statistics.median(psnr):.1f}; SSIM least {min(ssim)}, "
        f"median {statistics.median(ssim):.4f}; largest change {max(row['largest'] for row in rows)} levels"
    )
    for row in sorted(rows, key=lambda row: row["ssim"])[:5]:
        tell(f"  {row['clip']}: {row['psnr']}, {row['ssim']}")


def _row(attack: Attack, rows: list[dict[str, Any]]) -> None:
    need = 2 if attack.copies > 1 else 1
    good = [row["named"] >= need for row in rows]
    fresh = [row["named"] >= need for row in rows if not row["tuned"]]
    z = [min(row["each"], default=0.0) if row["named"] else 0.0 for row in rows]
    stages = {row["stage"] for row in rows if row["stage"]}
    cpu = [row["cpu"] for row in rows]
    missed = ", ".join(row["clip"] for row, named in zip(rows, good, strict=True) if not named)
    cells = (
        attack.name,
        f"{sum(good)}/{len(good)}",
        f"{sum(fresh)}/{len(fresh)}",
        f"{statistics.median(z):.0f} ({min(z):.1f})",
        ", ".join(sorted(stages)),
        f"{statistics.median(cpu):.0f} ({max(cpu):.0f})",
        str(sum(row["wrong"] for row in rows)),
    )
    tell(f"| {' | '.join(cells)} |" + (f" missed: {missed}" if missed else ""))

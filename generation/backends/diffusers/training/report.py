"""What a run did, in one file: recipe, loss curve and results as JSON, and the curve as a drawing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

from generation.backends.diffusers.training.trainer import load_average

_WIDTH, _HEIGHT, _LEFT, _FOOT = 720, 320, 56, 36
_LINES: Final = (0.1, 0.2, 0.5, 1.0)


def write(folder: Path) -> None:
    """Writes `report.json` and `curve.svg` beside the run's state."""
    curve = read_curve(folder / "curve.jsonl")
    results = folder / "results.json"
    report = {
        **load_average(folder)[1],
        "results": json.loads(results.read_text(encoding="utf-8")) if results.exists() else {},
        "curve": curve,
    }
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (folder / "curve.svg").write_text(draw_curve(curve), encoding="utf-8")


def read_curve(file: Path) -> list[dict[str, Any]]:
    """One line for each 50 steps; where an interrupted run went over steps again, the later line counts."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return list({line["step"]: line for line in lines}.values())


def draw_curve(curve: list[dict[str, Any]]) -> str:
    """The velocity loss over steps as an SVG of 720 x 320, on a logarithmic scale."""
    last: int = curve[-1]["step"]
    top, bottom = max(float(line["loss"]) for line in curve), min(_LINES)

    def x(step: int) -> float:
        return round(_LEFT + step / last * (_WIDTH - _LEFT - 16), 1)

    def y(loss: float) -> float:
        height = math.log(top / loss) / math.log(top / bottom)
        return round(12 + height * (_HEIGHT - _FOOT - 12), 1)

    points = " ".join(f"{x(line['step'])},{y(line['loss'])}" for line in curve)
    rules = "".join(
        f'<path d="M{_LEFT} {y(value)}H{_WIDTH - 16}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 8}" y="{y(value) + 4}" text-anchor="end">{value}</text>'
        for value in _LINES
        if value <= top
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12" fill="#555"><rect width="100%" height="100%" fill="#fff"/>{rules}'
        f'<polyline points="{points}" fill="none" stroke="#1f4fa3" stroke-width="2"/>'
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 10}" text-anchor="middle">steps (to {last})</text></svg>\n'
    )

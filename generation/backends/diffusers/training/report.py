"""What a run did: recipe, loss curve and results as JSON and as a page, and the curve as a drawing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

from generation.backends.diffusers.training.trainer import load_average

_WIDTH, _HEIGHT, _LEFT, _FOOT = 720, 320, 56, 36
_LINES: Final = (0.1, 0.2, 0.5, 1.0)


def write(folder: Path) -> None:
    """Writes `report.json`, `report.md` and `curve.svg` beside the run's state."""
    curve = read_curve(folder / "curve.jsonl")
    results = folder / "results.json"
    report = {
        **load_average(folder)[1],
        "results": json.loads(results.read_text(encoding="utf-8")) if results.exists() else {},
        "curve": curve,
    }
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (folder / "curve.svg").write_text(draw_curve(curve), encoding="utf-8")
    (folder / "report.md").write_text(describe(report), encoding="utf-8")


def describe(report: dict[str, Any]) -> str:
    """The same as a page: recipe, every fourth point of the curve, and the results without single misses."""
    recipe = ", ".join(f"{name} {value}" for name, value in report["recipe"].items())
    points = report["curve"][:-1][::4] + report["curve"][-1:]
    curve = "\n".join(
        f"| {p['step']} | {p['stage']} | {p['cpu_seconds']:.0f} | {p['loss']} |" for p in points
    )
    results = json.dumps(_without_misses(report["results"]), indent=2)
    return (
        f"# Training run\n\nStep {report['step']}, {report['cpu_seconds']:.0f} s of CPU time. Recipe: {recipe}.\n\n"
        f"| step | stage | CPU s | velocity loss |\n| --- | --- | --- | --- |\n{curve}\n\n"
        f"![velocity loss](curve.svg)\n\n```json\n{results}\n```\n"
    )


def _without_misses(values: Any) -> Any:
    if not isinstance(values, dict):
        return values
    return {name: _without_misses(value) for name, value in values.items() if name != "misses"}


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

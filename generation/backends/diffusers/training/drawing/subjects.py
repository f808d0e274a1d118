"""The fourteen subjects as signed distances: unit is the subject's radius, y points down, negative is inside."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from generation.backends.diffusers.training.drawing.canvas import Field

Point = tuple[float, float]


class Part(NamedTuple):
    """One painted part: its distance field and its tone (0 the subject's colour, + lighter, - darker, to 1)."""

    distance: Field
    tone: float


def draw_parts(subject: str, x: Field, y: Field) -> list[Part]:
    """The parts of a subject at the given places, back to front."""
    return _SUBJECTS[subject](x, y)


def outline(subject: str, parts: list[Part]) -> Field:
    """Distance to the silhouette; all parts of some, of every other subject its first part."""
    if subject in ("boat", "whale"):
        whole: Field = np.minimum.reduce([part.distance for part in parts])
        return whole
    return parts[0].distance


def _ellipse(x: Field, y: Field, a: float, b: float) -> Field:
    distance: Field = (np.hypot(x / a, y / b) - 1) * min(a, b)
    return distance


def _box(x: Field, y: Field, a: float, b: float) -> Field:
    return np.maximum(np.abs(x) - a, np.abs(y) - b)


def _triangle(x: Field, y: Field, *corners: Point) -> Field:
    """Corners anticlockwise on the screen."""
    edges = []
    for (px, py), (qx, qy) in zip(corners, corners[1:] + corners[:1], strict=True):
        edges.append(((x - px) * (qy - py) - (y - py) * (qx - px)) / math.hypot(qx - px, qy - py))
    distance: Field = np.maximum.reduce(edges)
    return distance


def _boat(x: Field, y: Field) -> list[Part]:
    hull = np.maximum(_box(x, y - 0.62, 2, 0.3), (np.abs(x) + 0.55 * y) / 1.14 - 1.06)
    main = _triangle(x, y, (0.82, 0.2), (0.02, 0.2), (0.02, -1.05))
    jib = _triangle(x, y, (-0.1, 0.2), (-0.72, 0.2), (-0.1, -0.8))
    return [Part(hull, 0), Part(main, 0.35), Part(jib, 0.15)]


def _balloon(x: Field, y: Field) -> list[Part]:
    skirt = np.maximum(np.abs(x) * 0.8 + (y - 0.75) * 0.6, -y - 0.1)
    gore = np.maximum(_ellipse(x, y + 0.3, 0.3, 0.74), y - 0.3)
    envelope = np.minimum(_ellipse(x, y + 0.3, 0.76, 0.74), skirt)
    return [Part(envelope, 0), Part(gore, 0.35), Part(_box(x, y - 0.88, 0.2, 0.15), -0.45)]


def _fish(x: Field, y: Field) -> list[Part]:
    body = _ellipse(x - 0.15, y, 0.82, 0.5)
    tail = _triangle(x, y, (-0.35, 0), (-1.1, 0.55), (-1.1, -0.55))
    eye = _ellipse(x - 0.58, y + 0.1, 0.11, 0.11)
    return [Part(np.minimum(body, tail), 0), Part(np.maximum(body, 0.12 - y), 0.25), Part(eye, -0.7)]


def _bird(x: Field, y: Field) -> list[Part]:
    span = np.abs(x)
    wing = 0.18 - 0.62 * np.sin(np.clip(span, 0, 1.15) * 2.35)
    wings = np.maximum(np.abs(y - wing) - 0.24 * (1.12 - 0.8 * span), span - 1.12)
    return [Part(np.minimum(wings, _ellipse(x, y - 0.22, 0.2, 0.36)), 0)]


def _leaf(x: Field, y: Field) -> list[Part]:
    along, aside = (x + y) * math.sqrt(0.5), (y - x) * math.sqrt(0.5)
    blade = np.maximum(np.hypot(aside, along - 0.62), np.hypot(aside, along + 0.62)) - 1.16
    return [Part(blade, 0), Part(np.maximum(np.abs(along) - 0.06, np.abs(aside) - 1), 0.5)]


def _lantern(x: Field, y: Field) -> list[Part]:
    body = np.maximum(_box(x, y, 0.62, 0.72), np.abs(x) * 0.8 + np.abs(y) * 0.6 - 0.78)
    caps = [Part(_box(x, y + 0.8 * side, 0.34, 0.12), -0.6) for side in (1, -1)]
    return [Part(body, 0), Part(_ellipse(x, y + 0.02, 0.3, 0.46), 0.55), *caps]


def _star(x: Field, y: Field) -> list[Part]:
    point, inner, outer = math.pi / 5, 0.5, 1.08
    angle = np.abs((np.arctan2(x, -y) + point) % (2 * point) - point)  # folded into half a point
    px, py = np.hypot(x, y) * np.cos(angle), np.hypot(x, y) * np.sin(angle)
    ix, iy = inner * math.cos(point), inner * math.sin(point)
    return [Part(((px - outer) * iy - py * (ix - outer)) / math.hypot(ix - outer, iy), 0)]


def _moon(x: Field, y: Field) -> list[Part]:
    return [Part(np.maximum(_ellipse(x + 0.05, y, 0.92, 0.92), -_ellipse(x - 0.42, y + 0.16, 0.72, 0.72)), 0)]


def _circle(x: Field, y: Field) -> list[Part]:
    return [Part(_ellipse(x, y, 0.82, 0.82), 0), Part(_ellipse(x + 0.2, y + 0.22, 0.4, 0.4), 0.3)]


def _kite(x: Field, y: Field) -> list[Part]:
    sail = np.abs(x) * (0.55 / 0.72) + np.abs(y + 0.2) * 0.62 - 0.5
    ribbon = np.maximum(np.abs(x - 0.12 * np.sin(y * 9)) - 0.07, np.abs(y - 0.88) - 0.3)
    return [Part(sail, 0), Part(np.maximum(sail, -x), -0.22), Part(ribbon, -0.3)]


def _sun(x: Field, y: Field) -> list[Part]:
    step = math.pi / 6
    angle = (np.arctan2(y, x) + step) % (2 * step) - step
    along, aside = np.hypot(x, y) * np.cos(angle), np.abs(np.hypot(x, y) * np.sin(angle))
    rays = np.maximum(np.abs(along - 0.92) - 0.2, aside - 0.08)
    return [Part(np.minimum(_ellipse(x, y, 0.56, 0.56), rays), 0), Part(_ellipse(x, y, 0.34, 0.34), 0.3)]


def _whale(x: Field, y: Field) -> list[Part]:
    body = _ellipse(x - 0.2, y - 0.08, 0.85, 0.52)
    stem = _turned(x + 0.68, y + 0.08, 0.62, 0.5, 0.17)
    flukes = np.minimum(
        _turned(x + 1.06, y + 0.5, 0.35, 0.27, 0.12), _turned(x + 0.78, y + 0.6, 2.2, 0.27, 0.12)
    )
    belly, eye = np.maximum(body, 0.22 - y), _ellipse(x - 0.7, y + 0.02, 0.09, 0.09)
    spray = np.minimum(_ellipse(x - 0.3, y + 0.66, 0.09, 0.24), _ellipse(x - 0.3, y + 0.88, 0.3, 0.1))
    return [
        Part(np.minimum.reduce([body, stem, flukes]), 0),
        Part(belly, 0.45),
        Part(eye, -0.8),
        Part(spray, 0.8),
    ]


def _turned(x: Field, y: Field, angle: float, a: float, b: float) -> Field:
    along, aside = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    return _ellipse(along, aside, a, b)


_SUBJECTS: dict[str, Callable[[Field, Field], list[Part]]] = {
    "boat": _boat,
    "balloon": _balloon,
    "fish": _fish,
    "bird": _bird,
    "leaf": _leaf,
    "lantern": _lantern,
    "star": _star,
    "moon": _moon,
    "circle": _circle,
    "kite": _kite,
    "sun": _sun,
    "whale": _whale,
}

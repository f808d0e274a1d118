"""Where the subject is in each frame: the words decide where it sets out and how it goes on.

Everything lies on a lattice: centres on even pixels, ways of whole steps a frame, radii on one ladder, and places that
are multiples of the codec's patch apart. So few different pictures of a subject come up, all motions share them, and a
small model can learn to draw each one crisply. All motions can go on from any point of the lattice, and so a clip can
go on from the last picture of another.
"""

from __future__ import annotations

import math
import random
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from generation.backends.diffusers.training.drawing.canvas import FRAMES, HEIGHT, WIDTH
from generation.backends.diffusers.training.words import VALUES
from generation.backends.diffusers.training.world import Facts

# Pixels: centres of the places, and the step of each frame.
_PLACES: Final[dict[str, tuple[int, int]]] = {
    "centre": (80, 48),
    "left": (48, 48),
    "right": (112, 48),
    "high": (80, 32),
    "low": (80, 64),
}
_ACROSS, _ALONG, _LATTICE, _PATCH = 4, 2, 2, 16
_HALF_ACROSS, _HALF_ALONG = 32, 16
_CIRCLE_X, _CIRCLE_Y = 32, 16
# Radii: rung k of the ladder; what grows climbs one a frame. The rung of each size, and that where its growth starts.
_LOWEST_RADIUS, _RUNG = 7.8, 2.9 ** (1 / 15)
_SIZES: Final = {"medium": 12, "small": 8, "big": 16}
_GROWS_FROM: Final = {"medium": 3, "small": 0, "big": 6}
_RUNGS: Final = 22
_MARGIN = 1.05  # radii between centre and edge


class Start(NamedTuple):
    """Centre in pixels and rung of the radius in the first frame."""

    x: int
    y: int
    rung: int


class Path(NamedTuple):
    """Centre and radius in pixels, one value a frame."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    radius: NDArray[np.float32]


def set_out(facts: Facts) -> Start:
    """Where the words let the subject begin: so that the middle of its way is at its place, as far as there is room."""
    x, y = _PLACES[facts.place]
    rung = _SIZES[facts.size]
    edge = _edge(rung)
    if facts.motion in ("grow", "shrink"):
        rung = _GROWS_FROM[facts.size] + (FRAMES - 1 if facts.motion == "shrink" else 0)
    elif facts.motion in ("left", "right"):
        x = _first(x, WIDTH, _HALF_ACROSS, _ACROSS, edge, back=facts.motion == "left")
    elif facts.motion in ("up", "down"):
        y = _first(y, HEIGHT, _HALF_ALONG, _ALONG, edge, back=facts.motion == "up")
    elif facts.motion == "circle":
        x, y = _turning_point(facts.place, rung)
        x -= _CIRCLE_X
    return Start(x, y, rung)


def anywhere(facts: Facts, rng: random.Random) -> Start:
    """Where the same subject may be after a clip of another motion, place and size: at the end of it or on the way."""
    other = Facts(
        facts.scene,
        facts.subject,
        facts.colour,
        *(rng.choice(VALUES[name]) for name in ("motion", "size", "place")),
    )
    return _points(other, set_out(other))[rng.choice((rng.randrange(FRAMES), FRAMES - 1))]


def path(facts: Facts, start: Start | None = None) -> Path:
    """The path from `start`, or from where the words let it begin."""
    points = _points(facts, start or set_out(facts))
    x, y, radius = zip(*((x, y, _radius(rung)) for x, y, rung in points), strict=True)
    return Path(*(np.array(values, np.float32) for values in (x, y, radius)))


def _points(facts: Facts, start: Start) -> list[Start]:
    if facts.motion == "circle":
        return _circle(facts.place, start)
    points = [start]
    while len(points) < FRAMES:
        following = _step(facts.motion, points[-1])
        points.append(following if _has_room(following, start) else points[-1])
    return points


def _step(motion: str, at: Start) -> Start:
    way = {
        "left": (-_ACROSS, 0, 0),
        "right": (_ACROSS, 0, 0),
        "up": (0, -_ALONG, 0),
        "down": (0, _ALONG, 0),
        "grow": (0, 0, 1),
        "shrink": (0, 0, -1),
    }.get(motion, (0, 0, 0))
    return Start(*(a + b for a, b in zip(at, way, strict=True)))


def _has_room(at: Start, start: Start) -> bool:
    """On the ladder and seen whole; a growing subject may touch the edge."""
    if not 0 <= at.rung < _RUNGS:
        return False
    if at.rung < start.rung:
        return True
    edge = _edge(at.rung) if at.rung == start.rung else 0.9 * _radius(at.rung)
    return edge <= at.x <= WIDTH - edge and edge <= at.y <= HEIGHT - edge


def _circle(place: str, start: Start) -> list[Start]:
    """On from the angle at which the subject stands; a wrong distance from the middle is made good in one clip."""
    middle_x, middle_y = _turning_point(place, start.rung)
    across, along = (start.x - middle_x) / _CIRCLE_X, (start.y - middle_y) / _CIRCLE_Y
    off, angle = math.hypot(across, along) - 1, math.atan2(along, across)
    points = []
    for frame in range(FRAMES):
        distance = 1 + off * (1 - frame / (FRAMES - 1)) ** 2
        turned = angle + 2 * math.pi * frame / FRAMES
        x = middle_x + _CIRCLE_X * distance * math.cos(turned)
        y = middle_y + _CIRCLE_Y * distance * math.sin(turned)
        points.append(Start(_LATTICE * round(x / _LATTICE), _LATTICE * round(y / _LATTICE), start.rung))
    return points


def _turning_point(place: str, rung: int) -> tuple[int, int]:
    x, y = _PLACES[place]
    edge = _edge(rung)
    return (
        _within(x, edge + _CIRCLE_X, WIDTH - edge - _CIRCLE_X, _PATCH),
        _within(y, edge + _CIRCLE_Y, HEIGHT - edge - _CIRCLE_Y, _PATCH),
    )


def _first(middle: int, length: int, half: int, step: int, edge: float, *, back: bool) -> int:
    """The first point of a way about `middle` that stays `edge` away from both ends."""
    if back:
        return length - _first(length - middle, length, half, step, edge, back=False)
    return _within(middle - half, edge, length - edge - step * (FRAMES - 1), step)


def _within(value: int, low: float, high: float, step: int) -> int:
    """The nearest multiple of steps away from `value` that lies between; towards the middle where there is none."""
    while value < low:
        value += step
    while value > high and value - step >= low:
        value -= step
    return value


def _radius(rung: int) -> float:
    return float(_LOWEST_RADIUS * _RUNG**rung)


def _edge(rung: int) -> float:
    return _MARGIN * _radius(rung)

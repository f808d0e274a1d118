"""Where the subject is in each frame: the words decide where it sets out and how it goes on.

All motions can go on from any place: a way along an axis and a size ease to rest at a limit at which the subject is
still seen whole, and a circle is taken up at the angle at which the subject stands. So a clip can go on from the last
picture of another.
"""

from __future__ import annotations

import math
import random
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from generation.backends.diffusers.training.drawing.canvas import FRAMES, HEIGHT, WIDTH
from generation.backends.diffusers.training.world import Facts

# Pixels. Centres of the places, radii of the sizes.
_PLACES: Final[dict[str, tuple[float, float]]] = {
    "centre": (80, 47),
    "left": (54, 47),
    "right": (106, 47),
    "high": (80, 36),
    "low": (80, 59),
}
_RADII: Final = {"medium": 20.0, "small": 14.5, "big": 25.5}
# Of each pace: half of a sideways and of an upright way, factor of a growing subject, turns of a circle.
_HALF_ACROSS: Final = {"brisk": 42.0, "slow": 22.0}
_HALF_ALONG: Final = {"brisk": 23.0, "slow": 12.0}
_FACTOR: Final = {"brisk": 2.9, "slow": 1.7}
_TURNS: Final = {"brisk": 1.0, "slow": 0.5}
_CIRCLE_X, _CIRCLE_Y, _CIRCLE_RADIUS = 42.0, 22.0, 0.85
_SMALLEST, _LARGEST, _GROWING_RADIUS = 8.0, 33.0, 0.82
_MARGIN, _SOFTNESS = 1.05, 12.0  # radii between centre and edge; pixels in which a way comes to rest
_TIME: Final = np.linspace(0, 1, FRAMES)


class Start(NamedTuple):
    """Centre and radius of the subject in the first frame."""

    x: float
    y: float
    radius: float


class Path(NamedTuple):
    """Centre and radius in pixels, one value a frame."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    radius: NDArray[np.float32]


def set_out(facts: Facts) -> Start:
    """Where the words let the subject begin: so that the middle of its way is at its place and of its size."""
    radius = _RADII[facts.size]
    (x, y), across, along = _PLACES[facts.place], 0.0, 0.0
    if facts.motion in ("grow", "shrink"):
        half = _FACTOR[facts.pace] ** 0.5
        middle = _GROWING_RADIUS * radius
        first = middle / half if facts.motion == "grow" else middle * half
        radius = min(max(first, _SMALLEST), _LARGEST)
    elif facts.motion in ("left", "right"):
        across = _HALF_ACROSS[facts.pace]
    elif facts.motion in ("up", "down"):
        along = _HALF_ALONG[facts.pace]
    elif facts.motion == "circle":
        radius *= _CIRCLE_RADIUS
    x, y = _turning_point(x, y, radius) if facts.motion == "circle" else _between(x, y, radius, across, along)
    if facts.motion == "circle":
        across = _CIRCLE_X
    return Start(
        x + (across if facts.motion == "left" else -across),
        y + (along if facts.motion == "up" else -along),
        radius,
    )


def anywhere(rng: random.Random) -> Start:
    """Any place and size of a subject that is seen whole."""
    radius = math.exp(rng.uniform(math.log(9), math.log(30)))
    edge = _MARGIN * radius
    return Start(rng.uniform(edge, WIDTH - edge), rng.uniform(edge, HEIGHT - edge), radius)


def path(facts: Facts, start: Start | None = None) -> Path:
    """The path from `start`, or from where the words let it begin."""
    x0, y0, r0 = start or set_out(facts)
    x, y, radius = (np.full(FRAMES, value, np.float64) for value in (x0, y0, r0))
    edge = _MARGIN * r0
    if facts.motion in ("left", "right"):
        x = _glide(
            x0, 2 * _HALF_ACROSS[facts.pace] * (1 if facts.motion == "right" else -1), edge, WIDTH - edge
        )
    elif facts.motion in ("up", "down"):
        y = _glide(
            y0, 2 * _HALF_ALONG[facts.pace] * (1 if facts.motion == "down" else -1), edge, HEIGHT - edge
        )
    elif facts.motion in ("grow", "shrink"):
        way = math.log(_FACTOR[facts.pace]) * (1 if facts.motion == "grow" else -1)
        radius = np.exp(_glide(math.log(r0), way, math.log(_SMALLEST), math.log(_LARGEST), softness=0.2))
        largest = np.minimum(np.minimum(x0, WIDTH - x0), np.minimum(y0, HEIGHT - y0)) / 0.9
        radius = np.minimum(radius, np.maximum(largest, r0))
    elif facts.motion == "circle":
        x, y = _circle(x0, y0, r0, facts)
    return Path(x.astype(np.float32), y.astype(np.float32), radius.astype(np.float32))


def _between(x: float, y: float, radius: float, across: float, along: float) -> tuple[float, float]:
    """The middle of a way, moved so far from its place that the subject is seen whole all along."""
    edge = _MARGIN * radius
    return (
        min(max(x, edge + across), WIDTH - edge - across) if across else x,
        min(max(y, edge + along), HEIGHT - edge - along),
    )


def _turning_point(x: float, y: float, radius: float) -> tuple[float, float]:
    edge = _MARGIN * radius
    return (
        min(max(x, edge + _CIRCLE_X), WIDTH - edge - _CIRCLE_X),
        min(max(y, edge + _CIRCLE_Y), HEIGHT - edge - _CIRCLE_Y),
    )


def _circle(
    x0: float, y0: float, radius: float, facts: Facts
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """On from the angle at which the subject stands; a wrong distance from the middle is made good in one clip."""
    middle_x, middle_y = _turning_point(*_PLACES[facts.place], radius)
    across, along = (x0 - middle_x) / _CIRCLE_X, (y0 - middle_y) / _CIRCLE_Y
    distance = 1 + (math.hypot(across, along) - 1) * (1 - _TIME) ** 2
    angle = math.atan2(along, across) + 2 * math.pi * _TURNS[facts.pace] * _TIME
    return middle_x + _CIRCLE_X * distance * np.cos(angle), middle_y + _CIRCLE_Y * distance * np.sin(angle)


def _glide(
    start: float, way: float, low: float, high: float, softness: float = _SOFTNESS
) -> NDArray[np.float64]:
    """An even motion by `way`, that comes to rest at a limit."""
    if way < 0:
        return -_glide(-start, -way, -high, -low, softness)
    resting = np.array([_soft_least(start + way * time, high, softness) for time in _TIME])
    return start + resting - _soft_least(start, high, softness)


def _soft_least(value: float, limit: float, softness: float) -> float:
    """The lesser of two, with a rounded corner. Method: Inigo Quilez' polynomial smooth minimum."""
    share = min(max(0.5 + 0.5 * (limit - value) / softness, 0), 1)
    return limit + (value - limit) * share - softness * share * (1 - share)

"""Where the subject is in each frame: one path for each motion (fewer hidden variables train far faster)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from generation.backends.diffusers.training.drawing.canvas import FRAMES

_CENTRE_X, _CENTRE_Y, _RADIUS = 80.0, 47.0, 20.0
_REACH_X, _REACH_Y = 84.0, 46.0  # whole way of a sideways and of an upright motion


class Path(NamedTuple):
    """Centre and radius in pixels, one value a frame."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    radius: NDArray[np.float32]


def path(motion: str) -> Path:
    """The path of a motion; `stay` is the middle of the picture."""
    time = np.linspace(0, 1, FRAMES)
    x, y, radius = (np.full(FRAMES, value) for value in (_CENTRE_X, _CENTRE_Y, _RADIUS))
    if motion in ("left", "right"):
        x = x + (time - 0.5) * (_REACH_X if motion == "right" else -_REACH_X)
    elif motion in ("up", "down"):
        y = y + (time - 0.5) * (_REACH_Y if motion == "down" else -_REACH_Y)
    elif motion == "grow":
        radius = radius * (0.45 + 0.95 * time)
    elif motion == "shrink":
        radius = radius * (1.4 - 0.95 * time)
    elif motion == "circle":
        angle = math.pi + 2 * math.pi * time
        x, y, radius = x + 42 * np.cos(angle), y + 22 * np.sin(angle), radius * 0.85
    return Path(x.astype(np.float32), y.astype(np.float32), radius.astype(np.float32))

"""From a file's frames to what is left of them once the picture is taken away: where a mark would be.

A frame's residual is what is finer than a blur, divided by how much of that there is nearby: a hard edge counts no more
than a soft one, and in an even sky a mark of a third of a level still shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.forensic.code import Floats

MOST_LINES: Final = 720  # of the shorter side; finer detail than this carries nothing that is read
_FINE: Final = 7.0  # pixels: sigma of the blur that is taken away
_NEAR: Final = 21  # pixels: side of the square in which it is measured
_SOFT: Final = 0.8  # levels
_LIMIT: Final = 2.5
_QUARTER: Final = 0.25  # seconds: frames so near each other carry the tile at one place, mostly


@dataclass(frozen=True, slots=True)
class Frame:
    """One luma plane, height x width in levels 0-255, when it is shown, in seconds, and whether it was coded by
    itself: in a file that was squeezed hard only such frames still carry a mark."""

    luma: Floats
    at: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Residuals:
    """N residuals of one size, height x width, and of each which quarter of a second it belongs to and whether
    it was coded by itself. `bars` is how much smaller the picture's shorter side is than the frame's, by even bars
    around it (1 where there are none)."""

    images: list[Floats]
    quarters: NDArray[np.int64]
    whole: NDArray[np.bool_]
    bars: float


def residuals(frames: Iterable[Frame]) -> Residuals:
    """Of all frames that have the size of the first. ValueError where there is none."""
    images: list[Floats] = []
    taken: list[Frame] = []
    total: Floats | None = None
    for frame in frames:
        luma = _bounded(frame.luma)
        if total is None:
            total = np.zeros_like(luma)
        if luma.shape == total.shape:
            total += luma
            images.append(_residual(luma))
            taken.append(frame)
    if total is None:
        raise ValueError("no frame was handed over")
    times = np.array([frame.at for frame in taken])
    quarters = np.unique(np.floor((times - times[0]) / _QUARTER + 1e-6), return_inverse=True)[1]
    whole = np.array([frame.whole for frame in taken])
    return Residuals(images, quarters, whole, _bars(total, len(images)))


def _bounded(luma: Floats) -> Floats:
    """Floats to the end: eight bits would lose a mark of 0.3 levels when a picture is made smaller."""
    height, width = luma.shape
    share = MOST_LINES / min(width, height)
    if share >= 1:
        return np.asarray(luma, np.float32)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)


def _residual(luma: Floats) -> Floats:
    fine = luma - _blurred(luma)
    spread = cv2.sqrt(np.maximum(cv2.boxFilter(fine * fine, -1, (_NEAR, _NEAR)), 0))
    return np.clip(fine / (spread + _SOFT), -_LIMIT, _LIMIT)


def _blurred(luma: Floats) -> Floats:
    """A Gaussian blur, taken at a quarter of the size."""
    height, width = luma.shape
    if min(width, height) < 64:
        return np.asarray(cv2.GaussianBlur(luma, (0, 0), _FINE), np.float32)
    small = cv2.resize(luma, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), _FINE / 4)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _bars(total: Floats, count: int) -> float:
    mean, shares = total / count, []
    for axis in (1, 0):
        busy = np.flatnonzero(mean.std(axis=axis) > 2.0)
        shares.append(int(busy[-1] - busy[0]) + 1 if busy.size > 32 else mean.shape[1 - axis])
    return float(min(mean.shape) / min(shares))

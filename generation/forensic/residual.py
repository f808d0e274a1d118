"""From a file's frames to what is left of them once the picture is taken away: where a mark would be.

A frame's residual is what is finer than a blur, divided by the variance of that nearby: as a matched filter weighs what
it hears by the noise, so that a hard edge says less than a soft one, and in an even sky a mark of a third of a level
still shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.forensic.code import Floats

MOST_LINES: Final = 540  # of the shorter side; finer detail than this carries nothing that is read
SHORTEST_SIDE: Final = 64  # pixels; in less nothing can be read
LONGEST_SIDE: Final = 20  # times the shorter; of more the geometries would not end
_KEPT_LINES: Final = 1080  # in which a part that moves is looked at
_FINE: Final = 1.9  # pixels: sigma of the blur that is taken away
_NEAR: Final = 7  # pixels: side of the square in which it is measured
_SOFT: Final = 1.5  # levels: what an encoder adds where nothing happens
_MOVES: Final = 6.0  # levels by which a pixel changes, at least
_SOME: Final = 0.1  # of a row or a column
_MOST_OF_IT: Final = 0.85  # of the picture's area
_QUARTER: Final = 0.25  # seconds: frames so near each other carry the tile at one place, mostly


@dataclass(frozen=True, slots=True)
class Frame:
    """One luma plane, height x width in levels 0-255, or in 16 bits 0-65535; when it is shown, in seconds; and whether
    it was coded by itself: in a file that was squeezed hard only such frames still carry a mark."""

    luma: NDArray[Any]
    at: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Residuals:
    """N residuals of one size, height x width, and of each which quarter of a second it belongs to and whether
    it was coded by itself. `moving` holds those of the part of the picture that moves, where much stands still around
    it (a page on a screen, bars), and `share` tells how much of the picture that is."""

    images: list[Floats]
    quarters: NDArray[np.int64]
    whole: NDArray[np.bool_]
    moving: Residuals | None = None
    share: float = 1.0


def residuals(frames: Iterable[Frame]) -> Residuals:
    """Of all frames that have the size of the first. ValueError where there is none."""
    images: list[Floats] = []
    taken: list[Frame] = []
    least = most = None
    for frame in frames:
        levels = _levels(frame.luma)
        luma = _bounded(levels, MOST_LINES)
        if least is None or most is None:
            least, most = luma.copy(), luma.copy()
        if luma.shape == least.shape:
            np.minimum(least, luma, out=least)
            np.maximum(most, luma, out=most)
            images.append(_residual(luma))
            taken.append(Frame(_kept(frame.luma, levels), frame.at, frame.whole))
    if least is None or most is None:
        raise ValueError("no frame was handed over")
    times = np.array([frame.at for frame in taken])
    quarters = np.unique(np.floor((times - times[0]) / _QUARTER + 1e-6), return_inverse=True)[1]
    whole = np.array([frame.whole for frame in taken])
    found = Residuals(images, quarters, whole)
    box = _box(most - least)
    if box is None:
        return found
    top, left, bottom, right = box
    moving = replace(found, images=[_cut(frame.luma, box) for frame in taken])
    return replace(found, moving=moving, share=(bottom - top) * (right - left))


def _kept(luma: NDArray[Any], levels: Floats) -> NDArray[Any]:
    """As it came where that is small, for a part that moves."""
    if luma.dtype == np.uint8 and min(luma.shape) <= _KEPT_LINES:
        return luma
    return _bounded(levels, _KEPT_LINES).astype(np.float16)


def _levels(luma: NDArray[Any]) -> Floats:
    levels = luma.astype(np.float32)
    return levels / np.float32(257) if luma.dtype == np.uint16 else levels


def _bounded(luma: NDArray[Any], lines: int) -> NDArray[Any]:
    """Floats to the end: eight bits would lose a mark of 0.3 levels when a picture is made smaller."""
    height, width = luma.shape
    share = lines / min(width, height)
    if share >= 1:
        return luma
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)


def _box(changes: Floats) -> tuple[float, float, float, float] | None:
    """Top, left, bottom, right of what moves, as shares of the picture; None where that is most of it."""
    moves = changes > _MOVES
    sides = []
    for axis in (1, 0):
        busy = np.flatnonzero(moves.mean(axis=axis) > _SOME)
        if len(busy) < SHORTEST_SIDE:
            return None
        sides.append((int(busy[0]) / moves.shape[1 - axis], (int(busy[-1]) + 1) / moves.shape[1 - axis]))
    (top, bottom), (left, right) = sides
    height, width = ((bottom - top) * moves.shape[0], (right - left) * moves.shape[1])
    if max(height, width) > LONGEST_SIDE * min(height, width):
        return None
    return (top, left, bottom, right) if (bottom - top) * (right - left) < _MOST_OF_IT else None


def _cut(kept: NDArray[Any], box: tuple[float, float, float, float]) -> Floats:
    """The residual of a part of a frame, at that part's own measure."""
    height, width = kept.shape
    top, bottom = (round(height * share) for share in box[::2])
    left, right = (round(width * share) for share in box[1::2])
    part = np.ascontiguousarray(kept[top:bottom, left:right], np.float32)
    return _residual(_bounded(part, MOST_LINES))


def _residual(luma: Floats) -> Floats:
    fine = luma - np.asarray(cv2.GaussianBlur(luma, (0, 0), _FINE), np.float32)
    variance = np.maximum(cv2.boxFilter(fine * fine, -1, (_NEAR, _NEAR)), 0)
    return np.asarray(fine / (variance + _SOFT**2), np.float32)

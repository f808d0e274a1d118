"""Drawing the mark into luma, frame by frame."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.forensic.code import LINES, SLOT, TILE, Code, Floats

FLOOR: Final = 0.65  # levels, in a picture of 1080 lines where nothing happens
SLOPE: Final = 0.18  # levels for each level of activity
TOP: Final = 1.95
_BUSIEST: Final = 24  # levels of activity that count: keeps single edges from ringing
_SMALLER: Final = 1.75  # at most so much more in small pictures, which lose more to the codec
_FADE: Final = 1 / 6  # seconds in which one place of the tile gives way to the next
_EDGE: Final = 8  # canonical pixels beyond the picture, so that its last ones are not guessed

# Fixed point: alpha in 1/32, the pattern in 1/64; their product fits into 16 bits.
_ALPHA_ONE: Final = 32
_PATTERN_ONE: Final = 64
_BITS: Final = 11
_HALF: Final = 1 << (_BITS - 1)
_LARGEST: Final = (2**15 - 1 - _HALF) // round(TOP * _ALPHA_ONE)


class Embedder:
    """Marks one copy. `apply` changes a luma plane in place; frames come in order, `index` counts from 0.

    `clip` names what all copies of a clip have in common: when their tile stands where.

    y' = y + alpha W: W is the number's tile, moved to a keyed place each half second and cross-faded, alpha the
    strength that the picture hides: more where it is busy. Sums are in 16 bits: half the time of floats.
    """

    def __init__(
        self, code: Code, number: int, *, clip: str, width: int, height: int, fps: float, gain: float = 1.0
    ) -> None:
        self._code, self._clip, self._fps = code, clip, fps
        self._size, shorter = (width, height), min(width, height)
        self._scale = LINES / shorter
        self._small = (max(8, round(width * self._scale)), max(8, round(height * self._scale)))
        self._gain = gain
        self._floor = FLOOR * min(_SMALLER, max(1.0, math.sqrt(1080 / shorter)))
        self._tile = code.tile(number)
        self._kernel = np.ones((5, 5), np.uint8)
        self._delta = np.empty((height, width), np.int16)
        self._patterns: dict[int, NDArray[np.int16]] = {}

    def apply(self, luma: NDArray[np.uint8], index: int) -> None:
        delta = cv2.resize(self._strength(luma), self._size, dst=self._delta, interpolation=cv2.INTER_LINEAR)
        np.multiply(delta, self._pattern(index), out=delta)
        np.add(delta, _HALF, out=delta)
        np.right_shift(delta, _BITS, out=delta)
        # Saturated sums of bytes: with its highest bit turned over, a level is a signed byte.
        signed = np.bitwise_xor(luma, 0x80, out=luma).view(np.int8)
        cv2.add(signed, delta.astype(np.int8), dst=signed)
        np.bitwise_xor(luma, 0x80, out=luma)

    def _strength(self, luma: NDArray[np.uint8]) -> NDArray[np.int16]:
        """Alpha, at canonical size: a local mean of what is fine in the picture, its edges pulled in."""
        small = cv2.resize(luma, self._small, interpolation=cv2.INTER_LINEAR)
        fine = np.minimum(cv2.absdiff(small, cv2.blur(small, (9, 9))), _BUSIEST)
        activity = cv2.erode(cv2.blur(fine.astype(np.float32), (9, 9)), self._kernel)
        alpha = np.minimum(self._floor + SLOPE * activity, TOP) * (self._gain * _ALPHA_ONE)
        return np.asarray(np.rint(alpha), np.int16)

    def _pattern(self, index: int) -> NDArray[np.int16]:
        """W of a frame: of its slot, and while one gives way to the next a mixture of both that is as strong."""
        at = index / self._fps / SLOT
        slot = int(at)
        gone = (at - slot) * SLOT / _FADE * math.pi / 2
        pattern = self._placed(slot)
        if slot and gone < math.pi / 2:
            old = self._placed(slot - 1)
            return np.asarray(cv2.addWeighted(pattern, math.sin(gone), old, math.cos(gone), 0), np.int16)
        return pattern

    def _placed(self, slot: int) -> NDArray[np.int16]:
        if slot not in self._patterns:
            self._patterns = {old: made for old, made in self._patterns.items() if old == slot - 1}
            tile = np.roll(self._tile, self._code.shift(self._clip, slot), (0, 1))
            self._patterns[slot] = self._stretched(tile)
        return self._patterns[slot]

    def _stretched(self, tile: Floats) -> NDArray[np.int16]:
        """The tile laid side by side, at the picture's own size."""
        width, height = self._size
        repeated = np.tile(tile, [math.ceil(side / TILE) + 1 for side in reversed(self._small)])
        rows, columns = self._small[1] + _EDGE, self._small[0] + _EDGE
        larger = cv2.resize(
            repeated[:rows, :columns],
            None,
            fx=1 / self._scale,
            fy=1 / self._scale,
            interpolation=cv2.INTER_CUBIC,
        )
        scaled = np.rint(larger[:height, :width] * _PATTERN_ONE).clip(-_LARGEST, _LARGEST)
        return np.asarray(scaled, np.int16)

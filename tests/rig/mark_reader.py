"""Reads the code back from a frame by comparing it, letter by letter, with every letter of the code's alphabet.

It knows the face, the size and the alphabet, not where the mark is nor what it says. Each letter of the alphabet is
slid over the lower left of the frame; nine neighbours that look like four letters, a dash and four letters are a code.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.ids import _CODE_ALPHABET
from generation.media.mark import FONT

_SIZE: Final = 15  # of the face, in a frame of 360 lines
_LETTERS: Final = _CODE_ALPHABET + "-"
_DASH: Final = len(_CODE_ALPHABET)
_LENGTH: Final = 9
_WIDE, _HIGH = 11, 14  # of a drawn letter, in pixels
_LOWER, _LEFT = 44, 400  # the part of the frame that is searched
_SURE: Final = 0.75  # mean correlation of the nine; chance reaches about 0.5


def read_code(frame: NDArray[np.uint8]) -> str | None:
    """The code in a frame of 640 x 360 x 3, as `XXXX-XXXX`, or None."""
    if frame.shape != (360, 640, 3):
        raise ValueError(f"a frame of 640 x 360 is read, not {frame.shape}")
    face = ImageFont.truetype(str(FONT), size=_SIZE)
    area = frame[-_LOWER:, :_LEFT].mean(2)
    likeness = _likeness(area, _drawn_letters())
    near = np.maximum(likeness, np.maximum(np.roll(likeness, 1, axis=2), np.roll(likeness, -1, axis=2)))
    starts = near.shape[2] - round(_LENGTH * face.getlength("A"))
    total = np.zeros((near.shape[1], starts), np.float32)
    best = []
    for place in range(_LENGTH):
        shift = round(place * face.getlength("A"))
        candidates = near[_DASH:] if place == 4 else near[:_DASH]
        here = candidates[:, :, shift : shift + starts]
        total += here.max(0) / _LENGTH
        best.append(np.full(here.shape[1:], _DASH) if place == 4 else here.argmax(0))
    y, x = np.unravel_index(total.argmax(), total.shape)
    if total[y, x] < _SURE:
        return None
    return "".join(_LETTERS[int(letters[y, x])] for letters in best)


@cache
def _drawn_letters() -> NDArray[np.float32]:
    """The alphabet at its own size, and from four times that size scaled down at two offsets, half a pixel apart.

    Ways x letters x pixels, each of mean 0 and norm 1.
    """
    ways = [[_drawn(letter, 1, 0) for letter in _LETTERS]]
    ways += [[_drawn(letter, 4, offset) for letter in _LETTERS] for offset in (0, 2)]
    flat = np.array(ways).reshape(len(ways), len(_LETTERS), -1)
    flat = flat - flat.mean(2, keepdims=True)
    normed: NDArray[np.float32] = flat / np.linalg.norm(flat, axis=2, keepdims=True)
    return normed


def _drawn(letter: str, scale: int, offset: int) -> NDArray[np.float32]:
    face = ImageFont.truetype(str(FONT), size=_SIZE * scale)
    picture = Image.new("L", (_WIDE * scale, _HIGH * scale), 0)
    ImageDraw.Draw(picture).text((offset, 12 * scale + offset), letter, font=face, fill=255, anchor="ls")
    return np.asarray(picture.resize((_WIDE, _HIGH), Image.Resampling.BOX), np.float32)


def _likeness(area: NDArray[np.float64], ways: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalised cross-correlation of each letter, drawn in the way that fits best, at each place."""
    windows = sliding_window_view(area.astype(np.float32), (_HIGH, _WIDE))
    flat = windows.reshape(-1, _HIGH * _WIDE)
    flat = flat - flat.mean(1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 60.0)  # nothing is not a letter
    best: NDArray[np.float32] = np.maximum.reduce([letters @ flat.T for letters in ways])
    return best.reshape(len(_LETTERS), *windows.shape[:2])

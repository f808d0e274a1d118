"""Reads the code back from anywhere in a frame by comparing it, letter by letter, with the code's alphabet.

It knows the face, the size and the alphabet; not where the mark is, nor whether its letters are light or dark, nor what
they say. Nine neighbours that look like four letters, a dash and four letters are a code. Every second place is looked
at first, and closely where that was promising.
"""

from __future__ import annotations

from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.ids import _CODE_ALPHABET
from generation.media.mark import FONT

Floats: TypeAlias = NDArray[np.float32]

LETTER: Final = 15  # size of the face in a picture whose shorter side has 360 pixels
_SHORTER: Final = 360
_LETTERS: Final = _CODE_ALPHABET + "-"
_DASH: Final = len(_CODE_ALPHABET)
_LENGTH: Final = 9
_WIDE, _HIGH = 11, 14  # of a drawn letter, in pixels
_PROMISING: Final = 8  # places that are looked at closely, at most
_WORTH: Final = 0.4  # mean correlation of the nine from which on a place is
_PLAIN: Final = 0.88  # and from which on no other place is looked at
_SURE: Final = 0.72  # mean correlation of the nine
_FLAT: Final = 60.0  # what is flatter than this is no letter; norm of a window of luma


def read_code(luma: NDArray[np.uint8], letter: float | None = None) -> str | None:
    """The code in a frame of luma, height x width, as `XXXX-XXXX`, or None.

    `letter` is the size of the face in this frame in pixels; without it, that of a mark which is no discreet one.
    """
    area = _scaled(luma, LETTER / letter if letter else _SHORTER / min(luma.shape))
    coarse = _likeness(area, _drawn_letters()[:1], step=2)
    best: tuple[float, str] = (0.0, "")
    for sign in (1, -1):
        total = _summed(sign * coarse, step=2)[0]
        for _ in range(_PROMISING):
            y, x = np.unravel_index(int(total.argmax()), total.shape)
            if total[y, x] < _WORTH or best[0] > _PLAIN:
                break
            best = max(best, _closely(area, 2 * int(y), 2 * int(x), sign))
            total[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3] = -1
    return best[1] if best[0] >= _SURE else None


def _closely(area: Floats, y: int, x: int, sign: int) -> tuple[float, str]:
    """The likeliest code that begins within two pixels of there, and how likely it is."""
    top, left = max(0, y - 2), max(0, x - 3)
    right = left + 8 + round((_LENGTH - 1) * _pitch()) + _WIDE
    near = _likeness(sign * area[top : top + 5 + _HIGH, left:right], _drawn_letters(), step=1)
    if near.shape[2] <= round((_LENGTH - 1) * _pitch()):
        return 0.0, ""
    total, letters = _summed(near, step=1)
    at = np.unravel_index(int(total.argmax()), total.shape)
    return float(total[at]), "".join(_LETTERS[int(one[at])] for one in letters)


def _summed(likeness: Floats, step: int) -> tuple[Floats, list[NDArray[np.intp]]]:
    """For a code that begins at each place: the mean likeness of its nine letters, and which they would be."""
    near = likeness.copy()
    near[:, :, 1:] = np.maximum(near[:, :, 1:], likeness[:, :, :-1])
    near[:, :, :-1] = np.maximum(near[:, :, :-1], likeness[:, :, 1:])
    shifts = [round(place * _pitch() / step) for place in range(_LENGTH)]
    starts = near.shape[2] - shifts[-1]
    total, letters = np.zeros((near.shape[1], starts), np.float32), []
    any_letter, dash = near[:_DASH].max(0), near[_DASH]
    for place, shift in enumerate(shifts):
        total += (dash if place == 4 else any_letter)[:, shift : shift + starts] / _LENGTH
        if step == 1:
            here = near[:_DASH, :, shift : shift + starts].argmax(0)
            letters.append(np.full_like(here, _DASH) if place == 4 else here)
    return total, letters


def _likeness(area: Floats, ways: Floats, step: int) -> Floats:
    """Normalised cross-correlation of each letter, drawn in the way that fits best, at every `step`-th place."""
    windows = sliding_window_view(area, (_HIGH, _WIDE))[::step, ::step]
    flat = windows.reshape(-1, _HIGH * _WIDE)
    mean, square = flat.mean(1), np.einsum("ij,ij->i", flat, flat)
    # Letters have mean 0, so that the windows need not have.
    norm = np.sqrt(np.maximum(square - mean * mean * flat.shape[1], _FLAT**2))
    # One product, and einsum for few places: many small products wait for each other's threads on a busy machine.
    known = ways.reshape(-1, _HIGH * _WIDE)
    alike = known @ flat.T if len(flat) > 2000 else np.einsum("ij,kj->ik", known, flat)
    best: Floats = alike.reshape(len(ways), len(_LETTERS), -1).max(0) / norm
    return best.reshape(len(_LETTERS), *windows.shape[:2])


def _scaled(luma: NDArray[np.uint8], share: float) -> Floats:
    if share == 1:
        return luma.astype(np.float32)
    size = round(luma.shape[1] * share), round(luma.shape[0] * share)
    return np.asarray(Image.fromarray(luma).resize(size, Image.Resampling.BOX), np.float32)


@cache
def _pitch() -> float:
    return ImageFont.truetype(str(FONT), size=LETTER * 8).getlength("A") / 8


@cache
def _drawn_letters() -> Floats:
    """The alphabet at its own size, and from four times that size scaled down at two offsets, half a pixel apart.

    Ways x letters x pixels, each of mean 0 and norm 1.
    """
    ways = [[_drawn(letter, 1, 0) for letter in _LETTERS]]
    ways += [[_drawn(letter, 4, offset) for letter in _LETTERS] for offset in (0, 2)]
    flat = np.array(ways).reshape(len(ways), len(_LETTERS), -1)
    flat = flat - flat.mean(2, keepdims=True)
    normed: Floats = (flat / np.linalg.norm(flat, axis=2, keepdims=True)).astype(np.float32)
    return normed


def _drawn(letter: str, scale: int, offset: int) -> Floats:
    face = ImageFont.truetype(str(FONT), size=LETTER * scale)
    picture = Image.new("L", (_WIDE * scale, _HIGH * scale), 0)
    ImageDraw.Draw(picture).text((offset, 12 * scale + offset), letter, font=face, fill=255, anchor="ls")
    return np.asarray(picture.resize((_WIDE, _HIGH), Image.Resampling.BOX), np.float32)

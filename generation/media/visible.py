"""The visible mark of one copy of a clip, drawn into its raw frames: it moves slowly, and adapts to what lies beneath.

Where. A mark in a corner is gone with that corner. So the code stands in two opposite quarters of the picture, one
after the other, so far from the sides that no crop which keeps 60 % of the picture's area is without both: where the
code keeps a share `x` of the width to the left or right and `y` of the height above or below, that is so when
(1 - x) (1 - y) <= 0.6 and both are 0.2 at least. The next two stand in the other two quarters. When it moves, and
where exactly, is derived from a key, so that one who has one clip does not know where to look in the next.

The middle fifth of the height is never touched, for there is what the picture is about; nor is the caption area, the
lower 18 % of the height in the middle 80 % of the width, where players put two lines of captions.

The discreet mark, for approved public renditions alone, does not move: it says whose the clip is, it does not guard
it, and nothing should stir in a work on show. It runs up the right edge, beside the caption area.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.media.lettering import (
    GREY,
    TONES,
    WHOLE,
    Beneath,
    Coat,
    Lettering,
    Mask,
    Painting,
    blend,
    letter,
)
from generation.spec import MarkStyle, VisibleMark

CAPTIONS: Final = (0.1, 0.82, 0.9, 1.0)  # left, top, right, bottom, as shares of the picture

_KEPT: Final = 0.6  # of the area: the smallest crop that may not be without the code
_NEAREST: Final = (1 - _KEPT) / 2  # to a side: a crop of two sides alone may take that much of each
_STRAY: Final = (0.05, 0.03)  # how far a place may lie further in, in shares of width and height
# Seconds. The first place is held shortly, for a clip of 4 s should show both quarters well. The new mark has come
# before the old one goes, each in a fade: every frame has a whole one.
_FIRST: Final = (1.2, 1.8)
_HOLD: Final = (3.0, 5.0)
_FADE: Final = 0.3


class VisibleMarker:
    """Draws one clip's visible mark into raw yuv420p frames, in place; one for each clip and copy.

    Sizes in pixels, both even. The same arguments and frames give the same bytes.
    """

    def __init__(
        self,
        text: VisibleMark,
        style: MarkStyle,
        *,
        width: int,
        height: int,
        fps: float,
        schedule_key: bytes,
    ) -> None:
        if width % 2 or height % 2:
            raise ValueError(f"yuv420p has even sides, not {width} x {height}")
        self._style, self._size, self._frame = style, (width, height), 1 / fps
        self._lettering = letter(text, style, width=width, height=height)
        self._schedule = Schedule(schedule_key, fps)
        self._places: dict[int, _Place] = {}
        self._next = 0

    def apply(self, frame: NDArray[np.uint8], index: int) -> None:
        """Mark one frame: (height * 3 // 2) x width uint8, limited range, BT.709; `index` counts from 0.

        Frames come in order; after a gap the mark adapts anew, as it does to a first frame.
        """
        width, height = self._size
        if frame.shape != (height * 3 // 2, width) or frame.dtype != np.uint8 or not frame.flags.c_contiguous:
            raise ValueError(f"not a yuv420p frame of {width} x {height}: {frame.shape} {frame.dtype}")
        if self._lettering is None:
            return
        if index != self._next:
            self._places.clear()
        self._next = index + 1
        chroma = frame.reshape(-1)[width * height :].reshape(2, height // 2, width // 2)
        showing = self._showing(index)
        for number in self._places.keys() - showing.keys():
            del self._places[number]
        for number, weight in showing.items():
            self._draw(frame[:height], chroma, number, weight, self._lettering)

    def settled(self, index: int) -> bool:
        """Whether the mark stands in one place alone in that frame."""
        return len(self._showing(index)) == 1

    def code_at(self, index: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of the code in that frame, in pixels, where it is drawn in full."""
        if self._lettering is None:
            return 0, 0, 0, 0
        number = max(self._showing(index).items(), key=lambda shown: shown[1])[0]
        left, top = self._corner(number, self._lettering)
        inside_left, inside_top, across, down = self._lettering.code
        return left + inside_left, top + inside_top, across, down

    def _showing(self, index: int) -> dict[int, float]:
        return {0: 1.0} if self._style == "discreet" else self._schedule.at(index)

    def _draw(
        self,
        luma: NDArray[np.uint8],
        chroma: NDArray[np.uint8],
        number: int,
        weight: float,
        lettering: Lettering,
    ) -> None:
        place = self._places.get(number)
        left, top = (place.left, place.top) if place else self._corner(number, lettering)
        inside_left, inside_top, across, down = lettering.judged
        area = luma[top + inside_top :, left + inside_left :][:down, :across]
        if place:
            place.beneath.follow(area, self._frame)
        else:
            place = self._places[number] = _Place(left, top, Beneath.first(area), {})
        for painting in lettering.paintings:
            level, cover = TONES[self._style](place.beneath, painting.coat)
            if painting.coat == "ink":
                cover = min(1.0, cover * lettering.ink)
            masks = place.weighed(painting, round(WHOLE * weight * cover))
            blend(luma, left + painting.left, top + painting.top, level, masks[0])
            blend(chroma, (left + painting.left) // 2, (top + painting.top) // 2, GREY, masks[1])

    def _corner(self, number: int, lettering: Lettering) -> tuple[int, int]:
        """The upper left corner of the mark at that place, even and inside the safe margin."""
        width, height = self._size
        margin = _inwards(min(width, height) / 40)
        room = width - margin - lettering.width, height - margin - lettering.height
        if self._style == "discreet":
            return room[0] - room[0] % 2, room[1] - room[1] % 2
        spot = self._schedule.spot(number)
        across = _anchored(width, spot.across, spot.right, lettering.code[0], lettering.code[2])
        down = _anchored(height, spot.down, spot.low, lettering.code[1], lettering.code[3])
        return _between(across, margin, room[0]), _between(down, margin, room[1])


@dataclass(slots=True)
class _Place:
    """Where the mark stands, what is beneath it, and its coats as they were last weighed."""

    left: int
    top: int
    beneath: Beneath
    last: dict[Coat, tuple[int, Mask, Mask]]

    def weighed(self, painting: Painting, cover: int) -> tuple[Mask, Mask]:
        """The coat's masks for luma and chroma times `cover` of WHOLE; as they were while that stays."""
        kept = self.last.get(painting.coat)
        if kept is None or kept[0] != cover:
            luma, chroma = ((mask * np.int16(cover) + 64) >> 7 for mask in (painting.luma, painting.chroma))
            kept = self.last[painting.coat] = cover, luma, chroma
        return kept[1], kept[2]


@dataclass(frozen=True, slots=True)
class Spot:
    """One place: how far the code keeps from the side and from top or bottom, in shares, and from which of them."""

    across: float
    down: float
    right: bool
    low: bool


class Schedule:
    """When the mark moves, and whereto; all from the key."""

    def __init__(self, key: bytes, fps: float) -> None:
        self._key, self._fps = key, fps
        self._fade = max(1, round(_FADE * fps))
        self._starts = [0]

    def at(self, index: int) -> dict[int, float]:
        """The numbers of the places that show in that frame, and how much of the mark; one of them 1.0."""
        while self._starts[-1] <= index:
            number = len(self._starts) - 1
            (chance,) = self._chances(f"hold {number}", 1)
            shortest, longest = _HOLD if number else _FIRST
            self._starts.append(
                self._starts[-1] + max(1, round((shortest + chance * (longest - shortest)) * self._fps))
            )
        number = bisect_right(self._starts, index) - 1
        if number == 0:
            return {0: 1.0}
        since = index + 1 - self._starts[number]
        coming, going = since / (self._fade + 1), (since - self._fade) / (self._fade + 1)
        weights = {number - 1: 1 - _smooth(going), number: _smooth(coming)}
        return {place: weight for place, weight in weights.items() if weight > 0}

    def spot(self, number: int) -> Spot:
        """Two after each other are opposite, and as far from the sides as a crop asks; the next two in the others."""
        pair, second = divmod(number, 2)
        rising = self._chances("quarters", 1)[0] < 0.5
        chances = self._chances(f"pair {pair}", 2)
        right = (chances[0] < 0.5) != bool(second)
        low = right != (rising != bool(pair % 2))
        furthest = 1 - _KEPT / (1 - _NEAREST)
        across = _NEAREST + chances[1] * (furthest - _NEAREST)
        down = 1 - _KEPT / (1 - across)
        further = self._chances(f"spot {number}", 2)
        return Spot(across + _STRAY[0] * further[0], down + _STRAY[1] * further[1], right, low)

    def _chances(self, what: str, count: int) -> tuple[float, ...]:
        """So many numbers from 0 to 1 that only the key can tell."""
        drawn = hmac.digest(self._key, f"visible mark, {what}".encode(), hashlib.sha256)
        return tuple(int.from_bytes(drawn[4 * one : 4 * one + 4], "big") / 2**32 for one in range(count))


def _smooth(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return part * part * (3 - 2 * part)


def _anchored(side: int, share: float, far: bool, inside: int, length: int) -> int:
    """Where the mark begins so that its code keeps that share of the side free, at its near or its far end."""
    if not far:
        return _inwards(side * share - inside)
    begin = math.floor(side * (1 - share)) - inside - length
    return begin - begin % 2


def _inwards(number: float) -> int:
    return math.ceil(number / 2) * 2


def _between(number: int, least: int, most: int) -> int:
    return max(0, min(max(number, least), most - most % 2))

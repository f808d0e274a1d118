"""The letters of the visible mark as coats of neutral paint: which pixels they cover, and how strongly on what picture.

Two lines, like the label beside a picture: the programme's name, small, and under it the clip's code. The face is that
of `mark`; where the shorter side has 360 pixels a letter of the code is 9 wide, which is what reading it back needs.
The discreet style is one line that runs up the right edge, as the credit of a photograph does in print. In a small
picture its code is larger than the name, as in the other styles, and less pale: it is discreet, not illegible.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFilter, ImageFont

from generation.media.mark import FONT
from generation.spec import MarkStyle, VisibleMark

# What lies under the letters, what is drawn around them, and they themselves; painted in this order.
Coat: TypeAlias = Literal["ground", "edge", "ink"]
Mask: TypeAlias = NDArray[np.int16]  # height x width, from 0 (nothing) to WHOLE (covered)

WHOLE: Final = 128  # a step of luma times this still fits in 16 bits

_CODE: Final = 1 / 24  # size of the face by the shorter side
_DISCREET: Final = 1 / 42
_NAME: Final = 0.72  # of the code's size: then a name of twelve letters is as wide as the code
_NAME_INK: Final = 0.82  # it stands back behind the code
_SMALLEST: Final = 12  # pixels; below, letters of the code run together
_SMALLEST_NAME: Final = 10
_WIDEST: Final = 0.45  # of the picture's width; a longer name is left out
_SMALLEST_CREDIT: Final = 15  # pixels, the discreet code; one less, and compression turns letters into others
_PALE: Final = 22  # likewise, from which on its letters need no more ink than their style has
_LONGEST: Final = 0.65  # of the picture's height, for the discreet line; likewise

_QUICK: Final = 0.12  # seconds to adapt to a picture that hides the mark
_SLOW: Final = 1.2  # seconds to relax, so that nothing flickers
_CUT: Final = 0.3  # of white: when luma jumps as far, it is another picture, and letters may turn at once
_REST: Final = 0.5  # seconds at least from one such turn to the next, for a picture that flashes
_SAMPLES: Final = 2048  # pixels at most that are looked at beneath the mark

_BLACK: Final = 16  # of limited range
_RANGE: Final = 219
GREY: Final = 128  # chroma without a colour


@dataclass(frozen=True, slots=True)
class Painting:
    """One coat: how much of each pixel of luma it covers, and of each of chroma, which has half of both sides.

    `left` and `top` in pixels of luma, both even, say where in the mark it begins: it is no larger than it must be.
    """

    coat: Coat
    left: int
    top: int
    luma: Mask
    chroma: Mask


@dataclass(frozen=True, slots=True)
class Lettering:
    """The whole mark, `width` x `height` pixels, both even; its code at `code`: left, top, width, height.

    Its ink covers `ink` times as much as the tones of its style say. They go by what lies beneath `judged`.
    """

    width: int
    height: int
    code: tuple[int, int, int, int]
    paintings: tuple[Painting, ...]
    judged: tuple[int, int, int, int]
    ink: float = 1.0


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    face: ImageFont.FreeTypeFont
    ink: float

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the letters alone, from where the pen starts, on the base line."""
        left, top, right, bottom = self.face.getbbox(self.text, anchor="ls")
        return int(left), int(top), int(-(-right // 1) - int(left)), int(-(-bottom // 1) - int(top))


def letter(mark: VisibleMark, style: MarkStyle, *, width: int, height: int) -> Lettering | None:
    """The mark for a picture of that size in pixels; None when it says nothing."""
    shorter = min(width, height)
    if style == "discreet":
        return _credit(mark, height, max(_SMALLEST_NAME, round(shorter * _DISCREET)))
    size = max(_SMALLEST, round(shorter * _CODE))
    lines = [_Line(text, _face(size), 1.0) for text in [mark.code] if text]
    name = _Line(mark.programme, _face(round(size * _NAME)), _NAME_INK if lines else 1.0)
    if name.text and round(size * _NAME) >= _SMALLEST_NAME and name.box[2] <= width * _WIDEST:
        lines.insert(0, name)
    # Without a plate the room around the letters is for their shade to run out in.
    pad = max(4, round(shorter / 72)) if style == "plate" else max(8, round(size * 0.6))
    return _stacked(lines, style, size, pad) if lines else None


def _stacked(lines: list[_Line], style: MarkStyle, size: int, pad: int) -> Lettering:
    """Lines one under the other, flush left."""
    gap = max(3, round(size * 0.3))
    wide = _even(max(line.box[2] for line in lines) + 2 * pad)
    high = _even(sum(line.box[3] for line in lines) + gap * (len(lines) - 1) + 2 * pad)
    ink = Pictures.new("L", (wide, high), 0)
    edge = Pictures.new("L", (wide, high), 0)
    at, code = pad, (0, 0, 0, 0)
    for line in lines:
        left, top, across, down = line.box
        pen = (pad - left, at - top)
        _write(ink, line, pen)
        _write(edge, line, pen, stroke=max(1.0, size / 14))
        code = (pad, at, across, down)  # that of the last line stays
        at += down + gap
    if style == "plate":
        ground = Pictures.new("L", (wide, high), 255)
        return _lettering(code, {"ground": ground, "ink": ink})
    return _lettering(code, {"ground": _soft(edge, size), "edge": edge, "ink": ink})


def _credit(mark: VisibleMark, height: int, size: int) -> Lettering | None:
    """One line that reads upwards, its code larger than `size` where that could not be read, if there is room.

    It is without the name where it would be too long.
    """
    code = _Line(mark.code, _face(max(size, min(_SMALLEST_CREDIT, height // 9))), 1.0)
    name = _Line(f"{mark.programme}  " if mark.programme and mark.code else mark.programme, _face(size), 1.0)
    if name.box[2] + code.box[2] > height * _LONGEST:
        name = _Line("", name.face, 1.0)
    return _upwards(name, code) if name.text or code.text else None


def _upwards(name: _Line, code: _Line) -> Lettering:
    """Both on one base line, turned left: what was far to the right is at the top."""
    before, size = round(name.face.getlength(name.text)), code.face.size
    boxes = [line.box for line in (name, code) if line.text]
    left, top = boxes[0][0], min(box[1] for box in boxes)
    across, down = before + code.box[2], max(box[1] + box[3] for box in boxes) - top
    pad = max(2, round(size / 6))
    wide, high = _even(across + 2 * pad), _even(down + 2 * pad)
    turned: dict[str, Pictures.Image] = {}
    for coat, stroke in (("edge", max(1.0, size / 16)), ("ink", 0.0)):
        flat = Pictures.new("L", (wide, high), 0)
        _write(flat, name, (pad - left, pad - top), stroke)
        _write(flat, code, (pad - left + before, pad - top), stroke)
        turned[coat] = flat.transpose(Pictures.Transpose.ROTATE_90)
    place = pad, wide - pad - across, down, across - before
    # Where the code is the larger part it must be read, be the name above a shadow and the code above the sky.
    judged = place if name.face.size < size else None
    return _lettering(place, turned, judged, max(1.0, _PALE / size))


def _lettering(
    code: tuple[int, int, int, int],
    coats: dict[str, Pictures.Image],
    judged: tuple[int, int, int, int] | None = None,
    ink: float = 1.0,
) -> Lettering:
    order: tuple[Coat, ...] = ("ground", "edge", "ink")
    paintings = tuple(_painting(coat, coats[coat]) for coat in order if coat in coats)
    wide, high = coats["ink"].size
    return Lettering(wide, high, code, paintings, judged or (0, 0, wide, high), ink)


def _painting(coat: Coat, picture: Pictures.Image) -> Painting:
    left, top, right, bottom = picture.getbbox() or (0, 0, 2, 2)
    left, top = left - left % 2, top - top % 2
    cut = picture.crop((left, top, _even(right), _even(bottom)))
    covered = (np.asarray(cut, np.int16) * WHOLE + 127) // 255
    quarters = covered[::2, ::2] + covered[1::2, ::2] + covered[::2, 1::2] + covered[1::2, 1::2]
    return Painting(coat, left, top, covered.astype(np.int16), ((quarters + 2) // 4).astype(np.int16))


def _write(onto: Pictures.Image, line: _Line, pen: tuple[int, int], stroke: float = 0.0) -> None:
    ImageDraw.Draw(onto).text(
        pen, line.text, font=line.face, fill=round(255 * line.ink), anchor="ls", stroke_width=stroke
    )


def _soft(edge: Pictures.Image, size: int) -> Pictures.Image:
    """A shade around the letters without an edge of its own, which quiets what is busy beneath them."""
    spread = edge.filter(ImageFilter.GaussianBlur(size / 7))
    return spread.point([min(255, round(value * 1.6)) for value in range(256)])


def _face(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT), size=size, layout_engine=ImageFont.Layout.BASIC)


def _even(number: float) -> int:
    return int(number) + int(number) % 2


@dataclass(slots=True)
class Beneath:
    """What the picture is where the mark stands, slowly followed: luma as a share of white.

    `bright` is how bright its bright parts are, `busy` how far luma strays, `middle` its mean; `light` is 1.0 where
    the letters are light and 0.0 where they are dark. There is nothing between: half-way, letters and their edge would
    be of one grey.
    """

    bright: float
    busy: float
    middle: float
    light: float
    since: float = _REST  # seconds since the letters last turned at once

    @classmethod
    def first(cls, area: NDArray[np.uint8]) -> Beneath:
        """As it is, with nothing before it."""
        middle, busy = _measured(area)
        return cls(_bright(middle, busy), busy, middle, float(middle < 0.55))

    def follow(self, area: NDArray[np.uint8], seconds: float) -> None:
        """One frame further: at once towards more contrast, slowly towards less."""
        middle, busy = _measured(area)
        self.since += seconds
        lost = middle > 0.68 if self.light else middle < 0.36  # letters of this kind can hardly be read there
        if (lost or abs(middle - self.middle) > _CUT) and self.since >= _REST:
            self.middle, self.light, self.since = middle, float(middle < 0.55), 0.0
        self.bright = _towards(self.bright, _bright(middle, busy), seconds)
        self.busy = _towards(self.busy, busy, seconds)
        self.middle += (middle - self.middle) * _part(seconds, 3 * _QUICK)
        # Two thresholds: a picture that hovers about one of them must not turn the letters back and forth.
        self.light = float(self.middle < (0.62 if self.light else 0.42))


def _plate(beneath: Beneath, coat: Coat) -> tuple[int, float]:
    """Level of luma and cover: the brighter the picture, the denser the plate and the brighter the letters."""
    if coat == "ground":
        return _BLACK, min(0.8, max(0.3, 1 - 0.32 / max(beneath.bright, 0.01)))
    return _level(0.74 + 0.2 * beneath.bright), 1.0


def _outline(beneath: Beneath, coat: Coat) -> tuple[int, float]:
    """The edge is as strong as the letters are close to what is beneath them, the shade as strong as that is busy."""
    light = 0.06 + (0.74 + 0.14 * beneath.bright) * beneath.light
    if coat == "ink":
        return _level(light), 1.0
    close = 1 - min(1.0, abs(light - beneath.middle) / 0.7)
    busy = min(1.0, beneath.busy / 0.15)
    cover = 0.35 + 0.35 * close + 0.4 * busy if coat == "edge" else 0.15 * close + 0.72 * busy
    return _level(0.95 - light), min(0.95, cover)


def _discreet(beneath: Beneath, coat: Coat) -> tuple[int, float]:
    """Letters a little lighter or darker than the picture; more where it is busy."""
    busy = min(1.0, beneath.busy / 0.2)
    if coat == "ink":
        return _level(0.04 + 0.92 * beneath.light), 0.4 + 0.3 * busy
    return _level(0.96 - 0.92 * beneath.light), 0.1 + 0.3 * busy


TONES: Final = {"plate": _plate, "outline": _outline, "discreet": _discreet}


def blend(planes: NDArray[np.uint8], left: int, top: int, level: int, mask: Mask) -> None:
    """Move each pixel under the mask towards the level as far as it is covered; 16 bits hold 239 * WHOLE."""
    area = planes[..., top : top + mask.shape[0], left : left + mask.shape[1]]
    step = np.subtract(level, area, dtype=np.int16)
    step *= mask
    step += WHOLE // 2
    step >>= 7
    np.add(area, step, out=area, casting="unsafe")


def _measured(area: NDArray[np.uint8]) -> tuple[float, float]:
    """Mean and standard deviation of luma as shares of white; whole numbers, so that every machine finds the same."""
    every = max(1, math.isqrt(area.size // _SAMPLES))
    some = area[::every, ::every].astype(np.int32)
    mean = int(some.sum()) / some.size
    square = int((some * some).sum()) / some.size
    return (mean - _BLACK) / _RANGE, math.sqrt(max(0.0, square - mean * mean)) / _RANGE


def _bright(middle: float, busy: float) -> float:
    """Two deviations above the mean: a few lit windows in a dark wall count."""
    return min(1.0, middle + 2 * busy)


def _towards(now: float, goal: float, seconds: float) -> float:
    return now + (goal - now) * _part(seconds, _QUICK if goal > now else _SLOW)


def _part(seconds: float, constant: float) -> float:
    """How much of a difference is gone after that time, where 63 % is gone after the constant."""
    return 1 - math.exp(-seconds / constant)


def _level(share: float) -> int:
    return _BLACK + round(_RANGE * min(1.0, max(0.0, share)))

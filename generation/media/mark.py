"""The visible mark: the programme's name and the clip's code on a dark plate, drawn once for each clip.

Letters are B612 Mono, a face made for reading at a glance in a cockpit. The plate makes them legible on white, on black
and on noise; at 360 lines a letter is still 9 pixels wide, which is what reading the code back needs.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from generation.spec import VisibleMark

FONT = Path(__file__).parent / "font" / "B612Mono-Bold.ttf"
_INK = (255, 255, 255, 240)
_PLATE = (0, 0, 0, 165)


def font(height: int) -> ImageFont.FreeTypeFont:
    """The face at the size for a picture of `height` lines."""
    return ImageFont.truetype(str(FONT), size=max(12, round(height / 24)))


def draw(mark: VisibleMark, *, height: int) -> Pictures.Image:
    """The mark as an RGBA picture with even sides, for a clip of `height` lines."""
    face = font(height)
    text = f"{mark.programme} {mark.code}".strip()
    left, top, right, bottom = face.getbbox(text)
    pad = max(4, round(height / 90))
    size = (_even(right - left + 2 * pad), _even(bottom - top + 2 * pad))
    picture = Pictures.new("RGBA", size, _PLATE)
    ImageDraw.Draw(picture).text((pad - left, pad - top), text, font=face, fill=_INK)
    return picture


def margin(height: int) -> int:
    """Distance of the mark from the left and lower edge, in pixels."""
    return _even(round(height / 40))


def _even(number: float) -> int:
    return int(number) + int(number) % 2

"""The visible mark: the programme's name and the clip's code on a dark plate, drawn once for each clip.

Letters are B612 Mono, a face made for reading at a glance in a cockpit. The plate makes them legible on white, on black
and on noise; where the shorter side has 360 pixels a letter is still 9 wide, which is what reading the code back needs.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from generation.spec import VisibleMark

FONT = Path(__file__).parent / "font" / "B612Mono-Bold.ttf"
_INK = (255, 255, 255, 240)
_PLATE = (0, 0, 0, 165)


def font(shorter: int) -> ImageFont.FreeTypeFont:
    """The face at the size for a picture whose shorter side has that many pixels."""
    return ImageFont.truetype(str(FONT), size=max(12, round(shorter / 24)))


def draw(mark: VisibleMark | None, *, width: int, height: int) -> Pictures.Image:
    """The mark as an RGBA picture with even sides, for a clip of that size; without one, a plate that nobody sees.

    Where the picture is too narrow for both, the programme's name is left out, never the code.
    """
    if mark is None:
        return Pictures.new("RGBA", (2, 2), (0, 0, 0, 0))
    shorter = min(width, height)
    face, pad = font(shorter), max(4, round(shorter / 90))
    text = f"{mark.programme} {mark.code}".strip()
    if face.getlength(text) > width - 2 * margin(width, height) - 2 * pad:
        text = mark.code
    left, top, right, bottom = face.getbbox(text)
    size = (_even(right - left + 2 * pad), _even(bottom - top + 2 * pad))
    picture = Pictures.new("RGBA", size, _PLATE)
    ImageDraw.Draw(picture).text((pad - left, pad - top), text, font=face, fill=_INK)
    return picture


def margin(width: int, height: int) -> int:
    """Distance of the mark from the left and lower edge, in pixels."""
    return _even(round(min(width, height) / 40))


def _even(number: float) -> int:
    return int(number) + int(number) % 2

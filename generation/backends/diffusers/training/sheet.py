"""A contact sheet of a checkpoint: clips of held-out combinations, three frames of each with the words below."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from generation.backends.diffusers.training import asking
from generation.backends.diffusers.training.drawing.canvas import HEIGHT, WIDTH
from generation.backends.diffusers.training.scorer import Trial, render

_CLIPS: Final = 24
_COLUMNS, _GAP, _LINE = 3, 8, 18
_FRAMES: Final = (1, 8, 15)
_PAPER, _INK = "#f4f1ea", "#26241f"


def draw(folder: Path, trial: Trial, file: Path) -> None:
    """Writes `file`, in the format that its name says."""
    asked = asking.in_full(_CLIPS, trial.seed)
    wide, high = len(_FRAMES) * WIDTH + _GAP, HEIGHT + _LINE + _GAP
    sheet = Image.new("RGB", (_COLUMNS * wide + _GAP, -(-_CLIPS // _COLUMNS) * high + _GAP), _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for number, (one, clip) in enumerate(zip(asked, render(folder, asked, trial), strict=True)):
        left, top = _GAP + number % _COLUMNS * wide, _GAP + number // _COLUMNS * high
        for place, frame in enumerate(_FRAMES):
            sheet.paste(_picture(clip[frame]), (left + place * WIDTH, top))
        pen.text((left, top + HEIGHT + 2), one.completed, _INK, font)
    sheet.save(file, quality=85)


def _picture(frame: Tensor) -> Image.Image:
    """3 x 96 x 160 in 0..1."""
    return Image.fromarray((frame.permute(1, 2, 0) * 255).round().byte().numpy())

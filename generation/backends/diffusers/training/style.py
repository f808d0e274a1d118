"""The second look of the small world: a print in two inks on warm paper."""

from __future__ import annotations

import torch
from torch import Tensor

_INK = (38, 34, 92)
_PAPER = (250, 226, 188)
_ACCENT = (226, 84, 58)
_LIGHTNESS = (0.30, 0.55, 0.15)


def print_in_two_inks(frames: Tensor) -> Tensor:
    """Pictures (… x 3 in 0..1) with their lightness as dark blue on paper, and what is warm in red."""
    lightness = (frames * torch.tensor(_LIGHTNESS)).sum(-1, keepdim=True)
    contrast = torch.sigmoid((lightness - 0.48) * 7)
    warm = ((frames[..., :1] - frames[..., 2:]) * 2.2 - 0.75).clamp(0, 1)
    ink, paper, accent = (torch.tensor(rgb) / 255 for rgb in (_INK, _PAPER, _ACCENT))
    return ink.lerp(paper, contrast).lerp(accent, 0.85 * warm)

"""Makes drawn frames look as generated ones do: softened, grainy, with coloured speckle and faint squares."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_GRAIN, _SPECKLE, _SQUARES = 0.06, 0.12, 0.05  # largest deviations, of a range of 0..1
_LIGHT = 0.06  # largest change of brightness


def spoil(frames: Tensor, chance: torch.Generator) -> Tensor:
    """n x 3 x 96 x 160 in 0..1, each frame spoilt by amounts of its own, from nothing to more than models do."""
    count, _, height, width = frames.shape

    def amounts(largest: float) -> Tensor:
        return torch.rand(count, 1, 1, 1, generator=chance) * largest

    def blotches(size: int, largest: float) -> Tensor:
        coarse = torch.randn(count, 3, height // size, width // size, generator=chance)
        return F.interpolate(coarse, size=(height, width), mode="nearest") * amounts(largest)

    soft = F.avg_pool2d(
        F.avg_pool2d(frames, 3, 1, 1, count_include_pad=False), 3, 1, 1, count_include_pad=False
    )
    spoilt = torch.lerp(frames, soft, amounts(1.0))
    spoilt = spoilt + blotches(1, _GRAIN) + blotches(4, _SPECKLE) + blotches(32, _SQUARES)
    return (spoilt + amounts(2 * _LIGHT) - _LIGHT).clamp(0, 1)

"""From a pipeline's tensor to pictures, and no pictures where the numbers are none."""

from __future__ import annotations

import torch

from generation.errors import EngineError
from generation.spec import Image


def to_pictures(video: torch.Tensor) -> list[list[Image]]:
    """Takes x frames x 3 x height x width, from 0 to 1, to a list of pictures for each take.

    Raises EngineError for numbers that are none and for a clip of one flat colour: a decoder that overflowed (Wan's
    does in bfloat16) makes them, and a clip of nothing must not look like a finished one.
    """
    video = video.float()
    if not torch.isfinite(video).all():
        raise EngineError(
            "The model made numbers that are none. Its decoder may need float32: see full_precision in its profile."
        )
    levels = (video * 255).round().clamp(0, 255).to(torch.uint8)
    for take in levels:
        if int(take.max()) - int(take.min()) <= 1:
            raise EngineError(
                "The model made a clip of one flat colour: its numbers ran over, or it is damaged."
            )
    pictures = levels.permute(0, 1, 3, 4, 2).contiguous().cpu().numpy()
    return [list(take) for take in pictures]

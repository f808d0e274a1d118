"""From a pipeline's tensor to pictures, and no pictures where the numbers are none."""

from __future__ import annotations

import torch

from generation.errors import EngineError, SpecRejected
from generation.spec import Image


def to_pictures(video: torch.Tensor, *, adapted: bool = False) -> list[list[Image]]:
    """Takes x frames x 3 x height x width, from 0 to 1, to a list of pictures for each take.

    Raises EngineError for numbers that are none and for a clip of one flat colour: a decoder that overflowed (Wan's
    does in bfloat16) makes them, and a clip of nothing must not look like a finished one. Of an `adapted` model it is
    SpecRejected (`adapter_overflow`): an adapter of finite numbers can still make the model's own run over.
    """
    video = video.float()
    if not torch.isfinite(video).all():
        raise _no_clip(
            "The model made numbers that are none. Its decoder may need float32: see full_precision in its profile.",
            adapted,
        )
    levels = (video * 255).round().clamp(0, 255).to(torch.uint8)
    for take in levels:
        if int(take.max()) - int(take.min()) <= 1:
            raise _no_clip(
                "The model made a clip of one flat colour: its numbers ran over, or it is damaged.", adapted
            )
    pictures = levels.permute(0, 1, 3, 4, 2).contiguous().cpu().numpy()
    return [list(take) for take in pictures]


def _no_clip(ours: str, adapted: bool) -> EngineError:
    if not adapted:
        return EngineError(ours)
    return SpecRejected(
        "adapter_overflow",
        "With this adapter the model's numbers run over, and no clip comes of it. Give it a smaller weight, or "
        "choose another.",
    )

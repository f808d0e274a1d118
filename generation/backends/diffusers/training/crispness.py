"""How crisp a clip is: its error in the ring around the subject, against the error that the codec alone makes there."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan
from torch import Tensor

from generation.backends.diffusers.training import codec
from generation.backends.diffusers.training.drawing.canvas import FRAMES
from generation.backends.diffusers.training.drawing.clip import draw_clip
from generation.backends.diffusers.training.drawing.scenes import Mood, draw_scene
from generation.backends.diffusers.training.world import Facts

_RING = 10  # pixels
_PHASES, _LIGHTS = np.linspace(-0.5, 0.5, 21), np.linspace(0, 1, 11)


class Truth(NamedTuple):
    """The clean clip (frames x 3 x 96 x 160) nearest to one, and the ring around its subject (frames x 96 x 160)."""

    clip: Tensor
    ring: Tensor


def nearest_truth(clip: Tensor, facts: Facts) -> Truth:
    """Words decide all but the scene's mood; that is found by trying."""
    _, masks = draw_clip(facts, Mood(0.0, 0.5))
    wide = F.max_pool2d(torch.from_numpy(masks)[:, None], 2 * _RING + 1, 1, _RING)[:, 0]
    free = (wide.amax(0) < 0.5).float().numpy()[..., None]
    seen = clip[FRAMES // 2].permute(1, 2, 0).numpy()

    def distance(mood: Mood) -> float:
        return float((((draw_scene(facts.scene, mood) - seen) ** 2) * free).sum())

    best = min((Mood(float(phase), float(light)) for phase, light in product(_PHASES, _LIGHTS)), key=distance)
    drawn, masks = draw_clip(facts, best)
    inside = torch.from_numpy(masks) > 0.99
    ring = (wide > 0.5) & ~_narrowed(inside)
    return Truth(torch.from_numpy(drawn).permute(0, 3, 1, 2), ring)


def _narrowed(inside: Tensor) -> Tensor:
    """The subject's inner part, 3 pixels from its edge: what happens there is not the ring's."""
    return F.max_pool2d((~inside).float()[:, None], 7, 1, 3)[:, 0] < 0.5


def ring_error(clip: Tensor, truth: Truth) -> float:
    """Root of the mean square difference (of 0..1) in the ring."""
    error = (clip - truth.clip).square().mean(1)
    return float(error[truth.ring].mean().sqrt())


def codec_alone(vae: AutoencoderKLWan, truth: Truth) -> Tensor:
    """The truth after the codec: what no video model can better. Frames x 3 x 96 x 160 in 0..1."""
    clip = truth.clip.transpose(0, 1)[None] * 2 - 1
    with torch.no_grad():
        made: Tensor = vae.decode(codec.raw_latents(vae, clip)).sample[0]
    return ((made + 1) / 2).clamp(0, 1).transpose(0, 1)

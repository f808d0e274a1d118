"""How a checkpoint's clips look, whatever they show: how crisp they are, and how far seeds lead apart."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from generation.backends.diffusers.training import asking, crispness
from generation.backends.diffusers.training.reader import Reader, Track, follow
from generation.backends.diffusers.training.scorer import Trial, render

_CLIPS: Final = 48
_PROMPTS, _SEEDS = 6, 8


def score_crispness(folder: Path, trial: Trial) -> dict[str, float]:
    """Root mean square differences (of 0..1) from the nearest drawn clips in the ring around the subject."""
    vae = AutoencoderKLWan.from_pretrained(folder, subfolder="vae", torch_dtype=torch.float32).eval()
    asked = asking.in_full(_CLIPS, trial.seed)
    model, codec_alone = [], []
    for one, clip in zip(asked, render(folder, asked, trial), strict=True):
        truth = crispness.nearest_truth(clip, one.facts)
        model.append(crispness.ring_error(clip, truth))
        codec_alone.append(crispness.ring_error(crispness.codec_alone(vae, truth), truth))
    mean, floor = sum(model) / _CLIPS, sum(codec_alone) / _CLIPS
    return {
        "clips": _CLIPS,
        "ring": round(mean, 4),
        "codec_alone": round(floor, 4),
        "ratio": round(mean / floor, 2),
    }


def score_spread(folder: Path, trial: Trial, reader: Reader) -> dict[str, float]:
    """Standard deviations between the seeds of a prompt that leaves size and place open, averaged over prompts.

    Start, end and radius in pixels; the background as the root mean square of its pixels' deviations, of 0..1.
    """
    asked = asking.with_many_seeds(_PROMPTS, _SEEDS, trial.seed)
    clips = list(render(folder, asked, trial))
    spreads = [_spread(clips[first : first + _SEEDS], reader) for first in range(0, len(clips), _SEEDS)]
    means = torch.stack(spreads).mean(0).tolist()
    names = ("start", "end", "radius", "background")
    return {"prompts": _PROMPTS, "seeds": _SEEDS} | {
        name: round(v, 3) for name, v in zip(names, means, strict=True)
    }


def _spread(clips: list[Tensor], reader: Reader) -> Tensor:
    tracks = [_track(clip, reader) for clip in clips]
    start, end = (_apart(torch.stack([torch.stack([t.x[k], t.y[k]]) for t in tracks])) for k in (0, -1))
    radius = torch.stack([track.radius[0] for track in tracks]).std()
    corners = torch.stack([clip[:, :, :, :24].mean(0) for clip in clips])  # where subjects seldom are
    return torch.stack([start, end, radius, corners.var(0).mean().sqrt()])


def _apart(points: Tensor) -> Tensor:
    """Root mean square distance from their mean of points (n x 2)."""
    return (points - points.mean(0)).square().sum(1).mean().sqrt()


@torch.no_grad()
def _track(clip: Tensor, reader: Reader) -> Track:
    return follow(torch.sigmoid(reader.places(torch.nn.functional.avg_pool2d(clip, 2))[1]))

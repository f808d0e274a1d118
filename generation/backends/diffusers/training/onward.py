"""How well a checkpoint goes on from its own pictures: what clips of two stretches show in the second."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from generation.backends.diffusers.backend import DiffusersBackend
from generation.backends.diffusers.training import asking
from generation.backends.diffusers.training.drawing.canvas import FRAMES
from generation.backends.diffusers.training.reader import Reader
from generation.backends.diffusers.training.scorer import Trial
from generation.spec import RenderSpec

_CLIPS: Final = 48
_SECONDS: Final = 10
# What moves may have come to an edge by then, and so its way, size and place are not judged.
_JUDGED: Final = ("scene", "subject", "colour")


def score_last_stretch(folder: Path, trial: Trial, reader: Reader) -> dict[str, float]:
    """Percent of held-out combinations, everything named, whose clips of ten seconds still show it at the end."""
    backend = DiffusersBackend(folder)
    asked = asking.in_full(_CLIPS, trial.seed)
    right = [
        {name: read[name] == getattr(one.facts, name) for name in _JUDGED}
        for one in asked
        for read in [reader.read(_last_stretch(backend, one, trial))]
    ]
    shares = {name: sum(seen[name] for seen in right) for name in _JUDGED}
    shares["all"] = sum(all(seen.values()) for seen in right)
    return {"clips": _CLIPS, "seconds": _SECONDS} | {
        name: round(100 * count / _CLIPS, 1) for name, count in shares.items()
    }


def _last_stretch(backend: DiffusersBackend, one: asking.Asked, trial: Trial) -> Tensor:
    """As the product renders it: its frames x 3 x 96 x 160 in 0..1."""
    spec = RenderSpec(
        one.completed,
        seed=one.seed,
        width=1280,
        height=720,
        seconds=_SECONDS,
        fps=24,
        steps=trial.sampling_steps,
        guidance=trial.guidance,
    )
    (frames,) = backend.render([spec], progress=lambda *_: None, cancelled=lambda: False)
    pictures = np.stack(list(frames.images)[-FRAMES:])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255

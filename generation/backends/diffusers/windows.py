"""A whole clip out of stretches: each starts from the last picture of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image as Pictures

from generation.backends.diffusers.arguments import Run
from generation.backends.diffusers.loaded import Loaded
from generation.backends.diffusers.sizes import NativeSize
from generation.backends.diffusers.steps import Track
from generation.backends.pictures import fit_picture
from generation.spec import Image, RenderSpec


@dataclass(frozen=True, slots=True)
class Take:
    """A spec, the prompt that it became, and the size that the model will make."""

    spec: RenderSpec
    prompt: str
    size: NativeSize

    @property
    def alone(self) -> bool:
        """Whether it needs a forward of its own: a picture, given or its own last one, belongs to one clip."""
        return self.spec.image is not None or self.size.windows > 1


def render_together(loaded: Loaded, takes: Sequence[Take], track: Track) -> list[list[Image]]:
    """Pictures of takes that go through one forward; none of them needs one of its own."""
    return loaded.run(_run(takes, list(map(_noise, takes)), picture=None), track)


def render_alone(loaded: Loaded, take: Take, track: Track) -> list[Image]:
    """Pictures of one take; where two stretches meet, the picture that both have is kept once."""
    noise = _noise(take)  # goes on from stretch to stretch
    picture = _first_picture(take)
    pictures: list[Image] = []
    for window in range(take.size.windows):
        made = loaded.run(_run([take], [noise], picture), track)[0]
        pictures += made[1:] if window else made
        picture = Pictures.fromarray(made[-1])
        track.next_run()
    return pictures


def _run(takes: Sequence[Take], noise: list[torch.Generator], picture: Pictures.Image | None) -> Run:
    spec = takes[0].spec
    return Run(
        prompts=[take.prompt for take in takes],
        negative_prompt=spec.negative_prompt,
        size=takes[0].size,
        steps=spec.steps,
        guidance=spec.guidance,
        generators=noise,
        picture=picture,
    )


def _noise(take: Take) -> torch.Generator:
    """Drawn on the CPU, for each take by itself: a seed gives the same noise on every device, alone and in company."""
    return torch.Generator("cpu").manual_seed(take.spec.seed)


def _first_picture(take: Take) -> Pictures.Image | None:
    if take.spec.image is None:
        return None
    return Pictures.fromarray(fit_picture(take.spec.image, width=take.size.width, height=take.size.height))

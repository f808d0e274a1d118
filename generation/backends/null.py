"""Returns prepared frames at once: shows what everything around the model costs."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np

from generation.errors import RenderCancelled, SpecRejected
from generation.spec import Cancelled, Frames, Image, Progress, RenderSpec

_WIDTH, _HEIGHT, _COUNT = 160, 90, 16


def _prepare() -> list[Image]:
    """A light bar that crosses a dark gradient."""
    down = np.linspace(30, 90, _HEIGHT, dtype=np.uint8)[:, None, None]
    images = []
    for index in range(_COUNT):
        image = np.repeat(np.broadcast_to(down, (_HEIGHT, _WIDTH, 1)), 3, axis=2).copy()
        left = index * _WIDTH // _COUNT
        image[:, left : left + _WIDTH // _COUNT] = (210, 200, 180)
        images.append(image)
    return images


_IMAGES: Final = _prepare()


class NullBackend:
    """Reports every step and asks about cancelling as a real one does; the prompt and the seed change nothing."""

    name = "null"
    checkpoint = hashlib.sha256(b"".join(image.tobytes() for image in _IMAGES)).hexdigest()

    def complete_prompt(self, prompt: str, seed: int) -> str:
        """The prompt without outer spaces."""
        return prompt.strip()

    def check(self, spec: RenderSpec) -> None:
        """Refuses only what no file can be: an empty clip, or odd sizes."""
        if spec.seconds < 1 or spec.steps < 1:
            raise SpecRejected(
                "unsupported_length", "A clip has at least one second, and its render at least one step."
            )
        if spec.width < 2 or spec.height < 2 or spec.width % 2 or spec.height % 2:
            raise SpecRejected("unsupported_size", "Width and height must be even.")

    def render(self, spec: RenderSpec, *, progress: Progress, cancelled: Cancelled) -> Frames:
        """The same sixteen frames for every spec."""
        self.check(spec)
        for done in range(spec.steps + 1):
            if cancelled():
                raise RenderCancelled
            progress(done, spec.steps)
        prompt = self.complete_prompt(spec.prompt, spec.seed)
        return Frames(images=_IMAGES, count=_COUNT, width=_WIDTH, height=_HEIGHT, completed_prompt=prompt)

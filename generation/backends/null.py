"""Returns prepared frames at once: shows what everything around the model costs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from generation.backends.adapters import inspect_adapter
from generation.backends.pictures import check_picture
from generation.errors import EngineError, RenderCancelled, SpecRejected
from generation.spec import Cancelled, Capability, Frames, Image, Progress, RenderSpec

_WIDTH, _HEIGHT, _COUNT = 160, 90, 16
_AT_ONCE: Final = 16


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


def open_pace(checkpoint: str) -> NullBackend:
    """`builtin` is as fast as it can be; with `files` nothing is encoded either; a number: seconds for each step.

    EngineError for others.
    """
    if checkpoint == "files":
        return NullBackend(constant=True)
    try:
        return NullBackend(0.0 if checkpoint == "builtin" else float(checkpoint))
    except ValueError as fault:
        raise EngineError(
            f"The null backend has “builtin”, “files”, or seconds for a step, not “{checkpoint}”."
        ) from fault


class NullBackend:
    """Reports every step and asks about cancelling as a real one does; the prompt and the seed change nothing."""

    name = "null"

    def __init__(self, step_seconds: float = 0.0, *, constant: bool = False) -> None:
        self._step_seconds, self._constant = step_seconds, constant

    checkpoint = hashlib.sha256(b"".join(image.tobytes() for image in _IMAGES)).hexdigest()

    def capability(self) -> Capability:
        """Nothing in memory, everything at once."""
        return Capability(
            device="none",
            dtype="uint8",
            memory=0,
            load_seconds=0.0,
            warm_seconds=0.0,
            rung="none",
            images=True,
            adapters=True,
            at_once=_AT_ONCE,
        )

    def warm(self) -> None:
        """Nothing is slow the first time."""

    def at_once(self, spec: RenderSpec) -> int:
        """As many takes as one request may have."""
        return _AT_ONCE

    def complete_prompt(self, prompt: str, seed: int) -> str:
        """The prompt without outer spaces."""
        return prompt.strip()

    def check(self, spec: RenderSpec) -> None:
        """Refuses only what no file can be (an empty clip, odd sizes), and files that are not what they should be."""
        if spec.seconds < 1 or spec.steps < 1:
            raise SpecRejected(
                "unsupported_length", "A clip has at least one second, and its render at least one step."
            )
        if spec.width < 2 or spec.height < 2 or spec.width % 2 or spec.height % 2:
            raise SpecRejected("unsupported_size", "Width and height must be even.")
        if spec.image:
            check_picture(spec.image)
        if spec.adapter:
            inspect_adapter(spec.adapter.path)

    def render(
        self, takes: Sequence[RenderSpec], *, progress: Progress, cancelled: Cancelled
    ) -> list[Frames]:
        """The same sixteen frames for every take."""
        for spec in takes:
            self.check(spec)
        for done in range(takes[0].steps + 1):
            if cancelled():
                raise RenderCancelled
            progress(done, takes[0].steps)
            if self._step_seconds and done < takes[0].steps:
                time.sleep(self._step_seconds)
        return [
            Frames(
                images=_IMAGES,
                count=_COUNT,
                width=_WIDTH,
                height=_HEIGHT,
                completed_prompt=self.complete_prompt(spec.prompt, spec.seed),
                batch=len(takes),
                place=place,
                constant=self._constant,
            )
            for place, spec in enumerate(takes)
        ]

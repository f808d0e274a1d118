"""The contract of everything that turns a spec into frames; `tests/contracts` runs it on each backend."""

from __future__ import annotations

from typing import Protocol

from generation.spec import Cancelled, Frames, Progress, RenderSpec


class Backend(Protocol):
    """Loaded once in a process, then asked for one clip after another."""

    @property
    def name(self) -> str:
        """`diffusers` or `null`."""
        ...

    @property
    def checkpoint(self) -> str:
        """SHA-256 over the files of the loaded checkpoint, in hexadecimal; recorded with each attempt."""
        ...

    def complete_prompt(self, prompt: str, seed: int) -> str:
        """The prompt that will really be rendered: the same text and seed always give the same answer."""
        ...

    def check(self, spec: RenderSpec) -> None:
        """Raises SpecRejected when the model cannot render this; cheap, renders nothing."""
        ...

    def render(self, spec: RenderSpec, *, progress: Progress, cancelled: Cancelled) -> Frames:
        """Frames at the model's own size; the same spec gives the same bytes.

        Raises SpecRejected, RenderCancelled within one denoising step, or Transient when memory ran out.
        """
        ...

"""The contract of everything that turns a spec into frames; `tests/contracts` runs it on each backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from generation.spec import Cancelled, Capability, Frames, Progress, RenderSpec


class Backend(Protocol):
    """Loaded once in a process, then asked for one clip, or one handful of takes, after another."""

    @property
    def name(self) -> str:
        """`diffusers`, `remote` or `null`."""
        ...

    @property
    def checkpoint(self) -> str:
        """SHA-256 over the files of the loaded checkpoint, in hexadecimal; recorded with each attempt."""
        ...

    def capability(self) -> Capability:
        """What it runs on and what it can do, as measured so far; cheap."""
        ...

    def warm(self) -> None:
        """One smallest render that is thrown away: what is slow the first time is done before a job waits for it."""
        ...

    def complete_prompt(self, prompt: str, seed: int) -> str:
        """The prompt that will really be rendered: the same text and seed always give the same answer."""
        ...

    def check(self, spec: RenderSpec) -> None:
        """Raises SpecRejected when the model cannot render this, naming the nearest that it can; renders nothing."""
        ...

    def at_once(self, spec: RenderSpec) -> int:
        """How many takes like this one fit through one forward, at least 1."""
        ...

    def render(
        self, takes: Sequence[RenderSpec], *, progress: Progress, cancelled: Cancelled
    ) -> list[Frames]:
        """Frames of each take at the model's own size, in the order asked for.

        Takes differ in their seed alone, and are at most `at_once`. The same takes give the same bytes on the same
        kind of device. Progress counts the denoising steps of all windows. Raises SpecRejected, RenderCancelled
        within one denoising step, or Transient when memory ran out (after stepping down the ladder, once) or an outside
        server was not well.
        """
        ...

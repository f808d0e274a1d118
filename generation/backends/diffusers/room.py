"""Finds room for a render: loads the checkpoint where it fits, and steps down when memory runs out."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from generation.backends.diffusers import ladder
from generation.backends.diffusers.loaded import Loaded
from generation.backends.diffusers.meter import Meter
from generation.backends.diffusers.profile import Profile
from generation.backends.diffusers.sizes import NativeSize, smallest_size
from generation.backends.diffusers.steps import Track
from generation.backends.diffusers.windows import Take, render_alone, render_together
from generation.errors import Transient
from generation.spec import Image

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Clip:
    """One take's pictures, and where among the `batch` takes of its forward they were made."""

    pictures: list[Image]
    batch: int = 1
    place: int = 0


class Room:
    """A loaded checkpoint, the rung that it is on, and what it has been seen to need. One render at a time."""

    def __init__(self, folder: Path, profile: Profile, device: torch.device) -> None:
        self.device = device
        self.meter = Meter(device)
        self._folder, self._profile = folder, profile
        self._rungs = ladder.rungs(profile.ladder, device)
        self._limit: int | None = None  # takes in one forward, once more of them did not fit
        self._loaded: Loaded | None = None
        self._settle(self._rungs[0])

    @property
    def most_at_once(self) -> int:
        """How many of the smallest takes are likely to fit in one forward."""
        return self._fit(smallest_size(self._profile)) if self.rung in ladder.ROOMY else 1

    @property
    def knows_adapters(self) -> bool:
        """Whether diffusers can load LoRA files for this kind of pipeline."""
        return self._loaded is not None and self._loaded.adapters.supported

    @property
    def takes_adapters(self) -> bool:
        """Whether it can on this rung as well."""
        return self.knows_adapters and self.rung != ladder.NO_ADAPTERS

    def at_once(self, take: Take) -> int:
        """How many takes like this one are likely to fit in one forward."""
        if take.alone or self.rung not in ladder.ROOMY:
            return 1
        return self._fit(take.size)

    def render(self, takes: Sequence[Take], track: Track) -> list[Clip]:
        """A clip of each take. Memory that runs out costs a step down, once in a render; then it is Transient."""
        if self._loaded is None:  # it did not fit last time; there may be room by now
            self._settle(self.rung)
        if len(takes) > 1 and not any(take.alone for take in takes):
            try:
                return self._attempt(takes, track)
            except MemoryError:
                self._limit = max(1, len(takes) // 2)
                logger.warning("%d takes at once do not fit; from now on at most %d", len(takes), self._limit)
        try:
            return self._attempt_each(takes, track)
        except MemoryError as fault:
            below = self._below()
            if below is None or (below == ladder.NO_ADAPTERS and takes[0].spec.adapter):
                raise Transient("The memory ran out, and there is no smaller way to render this.") from fault
        logger.warning("the memory ran out on rung %r; from now on %r", self.rung, below)
        self._settle(below)
        try:
            return self._attempt_each(takes, track)
        except MemoryError as fault:
            raise Transient("The memory ran out, also after a step down.") from fault

    def _fit(self, size: NativeSize) -> int:
        fit = self.meter.at_once(size.volume)
        return fit if self._limit is None else min(fit, self._limit)

    def _attempt(self, takes: Sequence[Take], track: Track) -> list[Clip]:
        track.start(takes[0].spec.steps, runs=1)
        self._use_adapter(takes)
        with self.meter.measuring(len(takes) * takes[0].size.volume):
            made = _in_memory(lambda: render_together(self._there, takes, track))
        return [Clip(pictures, len(takes), place) for place, pictures in enumerate(made)]

    def _attempt_each(self, takes: Sequence[Take], track: Track) -> list[Clip]:
        track.start(takes[0].spec.steps, runs=sum(take.size.windows for take in takes))
        self._use_adapter(takes)
        clips = []
        for take in takes:
            with self.meter.measuring(take.size.volume):
                clips.append(Clip(_in_memory(partial(render_alone, self._there, take, track))))
        return clips

    def _use_adapter(self, takes: Sequence[Take]) -> None:
        if takes[0].spec.adapter and not self.takes_adapters:
            raise Transient("This worker has too little memory for adapters.")
        _in_memory(lambda: self._there.adapters.use(takes[0].spec.adapter))

    @property
    def _there(self) -> Loaded:
        assert self._loaded is not None  # noqa: S101 (it has settled)
        return self._loaded

    def _settle(self, rung: str | None) -> None:
        """Loads the checkpoint on that rung, or on the first below where it fits."""
        while rung is not None:
            self.rung = rung
            self._loaded = None
            _sweep()
            try:
                self._loaded = _in_memory(lambda: Loaded(self._folder, self._profile, self.rung, self.device))
                return
            except MemoryError:
                rung = self._below()
        raise Transient("The memory is too small for this checkpoint.")

    def _below(self) -> str | None:
        place = self._rungs.index(self.rung)
        return self._rungs[place + 1] if place + 1 < len(self._rungs) else None


def _in_memory(work: Callable[[], Result]) -> Result:
    """MemoryError for every way in which torch says that memory ran out; by then what the work held is let go."""
    try:
        return work()
    except (
        RuntimeError
    ) as fault:  # OutOfMemoryError is one; the processor's allocator has no class of its own
        if not isinstance(fault, torch.OutOfMemoryError) and "DefaultCPUAllocator" not in str(fault):
            raise
        why = str(fault)
    _sweep()
    raise MemoryError(why)


def _sweep() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()

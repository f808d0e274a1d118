"""What a checkpoint takes: bytes on its device, and how many takes fit side by side."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch

_MOST_AT_ONCE: Final = 16  # as many takes as one request may have
_KEPT_FREE: Final = 0.1  # of the device, for what fragments and for what grows


class Meter:
    """Made before a checkpoint is loaded; what is there then is not the checkpoint's."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._before = _resident()
        self._most = self._resting = self._working = 0
        self._volume = 0

    @property
    def memory(self) -> int:
        """Bytes at most so far: reserved on the GPU, or by which this process has grown."""
        if self._device.type == "cuda":
            self._most = max(self._most, torch.cuda.max_memory_reserved(self._device))
            return self._most
        return max(0, _highest() - self._before)

    @contextmanager
    def measuring(self, volume: int) -> Iterator[None]:
        """Around a forward of `volume` pixels (takes x frames x height x width), which takes memory in proportion."""
        if self._device.type != "cuda":
            yield
            return
        self._most = self.memory  # which the next line forgets
        torch.cuda.reset_peak_memory_stats(self._device)
        resting = torch.cuda.memory_allocated(self._device)
        yield
        self._resting, self._volume = resting, volume
        self._working = torch.cuda.max_memory_allocated(self._device) - resting

    def at_once(self, volume: int) -> int:
        """How many takes of `volume` pixels fit, going by the last forward; on a processor 1: it gains nothing."""
        if self._device.type != "cuda" or not self._volume:
            return 1
        whole = torch.cuda.get_device_properties(self._device).total_memory
        return takes_that_fit(
            volume,
            free=int(whole * (1 - _KEPT_FREE)) - self._resting,
            bytes_a_pixel=self._working / self._volume,
        )


def takes_that_fit(volume: int, *, free: int, bytes_a_pixel: float) -> int:
    """At least one, at most what a request may have.

    Activations grow in proportion to the pixels (attention is not kept as a matrix), so what a smaller forward needed
    besides makes the guess a careful one.
    """
    if bytes_a_pixel <= 0:
        return 1
    return max(1, min(_MOST_AT_ONCE, int(free / (bytes_a_pixel * volume))))


def _resident() -> int:
    """Bytes of this process in memory now, where the system says so."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return _highest()
    return pages * resource.getpagesize()


def _highest() -> int:
    """Bytes of this process in memory, at most so far; counted in kibibytes, on macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

"""What goes into a render and what comes out of it: plain frozen values that need no database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

# Called with (denoising steps done, steps in all); the first call has 0 done.
Progress: TypeAlias = Callable[[int, int], None]
# True once the render is no longer wanted; asked at least once for each denoising step.
Cancelled: TypeAlias = Callable[[], bool]
# One picture: height x width x 3, red-green-blue, full range.
Image: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """One clip as it was asked for; width and height in pixels of the delivered file."""

    prompt: str
    seed: int
    width: int
    height: int
    seconds: int
    fps: int
    steps: int
    guidance: float
    negative_prompt: str = ""

    @property
    def frame_count(self) -> int:
        """Frames of the delivered clip."""
        return self.seconds * self.fps


@dataclass(frozen=True, slots=True)
class Frames:
    """What a model made, at its own size; `count` pictures that span the whole length of the clip."""

    images: Iterable[Image]
    count: int
    width: int
    height: int
    completed_prompt: str


@dataclass(frozen=True, slots=True)
class VisibleMark:
    """What is drawn into every frame: the programme's name and the clip's code, e.g. `K7QM-2XPD`."""

    programme: str
    code: str


@dataclass(frozen=True, slots=True)
class FileMade:
    """One file of a finished render; `sha256` in lower-case hexadecimal."""

    kind: Literal["mp4", "poster"]
    path: Path
    sha256: str
    bytes: int
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Produced:
    """A finished render. `frames_sha256` is the digest of the native frames, `method` how they were stretched."""

    files: tuple[FileMade, ...]
    frames_sha256: str
    frame_count: int
    fps: int
    seconds: float
    native_width: int
    native_height: int
    native_frames: int
    method: str
    completed_prompt: str

    def file(self, kind: Literal["mp4", "poster"]) -> FileMade:
        """The file of that kind; KeyError when there is none."""
        for made in self.files:
            if made.kind == kind:
                return made
        raise KeyError(kind)

"""What goes into a render and what comes out of it: plain frozen values that need no database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
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
class Adapter:
    """A LoRA file in diffusers' layout, how strongly it speaks (1.0 as trained), and the SHA-256 that names it."""

    path: Path
    sha256: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """One clip as it was asked for; width and height in pixels of the delivered file.

    `image` is a picture file (PNG, JPEG or WebP, RGB) that the clip starts from. `earlier` is what the model was told
    for the clip that this one comes from; a model that completes prompts takes from it what this prompt leaves open.
    """

    prompt: str
    seed: int
    width: int
    height: int
    seconds: int
    fps: int
    steps: int
    guidance: float
    negative_prompt: str = ""
    image: Path | None = None
    adapter: Adapter | None = None
    earlier: str = ""

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
    ignored_words: tuple[str, ...] = ()  # words of the prompt that it did not use
    windows: int = 1  # stretches rendered one after the other, each from the last picture of the one before
    batch: int = (
        1  # takes that went through the same forward, this one at `place`: the last bits depend on both
    )
    place: int = 0
    constant: bool = (
        False  # the same for every spec: files are made from them once in a process and handed out again
    )


@dataclass(frozen=True, slots=True)
class Capability:
    """What a loaded backend says of itself: for the office, for metrics, and for who chooses a worker.

    `hardware` names the model of the device and what of it decides sums; it is empty where that is not known. `memory`
    in bytes that it takes on its device at most so far; `dtype` as torch names it; `rung` of the memory
    ladder ("none" where everything fits); `images` whether a clip can start from a picture; `adapters` whether LoRA
    files can be loaded; `at_once` how many takes go through one forward.
    """

    device: str
    dtype: str
    memory: int
    load_seconds: float
    warm_seconds: float
    rung: str
    images: bool
    adapters: bool
    at_once: int
    hardware: str = ""


@dataclass(frozen=True, slots=True)
class VisibleMark:
    """What is drawn into every frame: the programme's name and the clip's code, e.g. `K7QM-2XPD`."""

    programme: str
    code: str


# How the visible mark looks: light letters on a dark plate; letters with a thin edge; and small, pale and still, for
# what was approved to be shown.
MarkStyle: TypeAlias = Literal["plate", "outline", "discreet"]


@dataclass(frozen=True, slots=True)
class ForensicMark:
    """The number of one copy, below 2**32, and the key of its epoch: whoever has that can read and forge marks."""

    number: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CopyMark:
    """What one copy of a clip is marked with. Without a forensic mark nobody can tell it from another copy."""

    visible: VisibleMark
    style: MarkStyle = "plate"
    forensic: ForensicMark | None = None


# mp4, poster, sprite (one picture of many small ones), vtt (which part of the sprite is which second) and sheet
# (contact sheet) are marked and may be handed out; source holds the native frames without loss and without a mark,
# and never is.
FileKind: TypeAlias = Literal["mp4", "poster", "sprite", "vtt", "sheet", "source"]


@dataclass(frozen=True, slots=True)
class FileMade:
    """One file of a finished render; `sha256` in lower-case hexadecimal. A VTT file has no size in pixels: 0 x 0."""

    kind: FileKind
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
    ignored_words: tuple[str, ...]
    render_seconds: float  # in the backend
    encode_seconds: float  # from the first frame handed to ffmpeg to files that were read back
    windows: int = 1

    def file(self, kind: FileKind) -> FileMade:
        """The file of that kind; KeyError when there is none."""
        for made in self.files:
            if made.kind == kind:
                return made
        raise KeyError(kind)

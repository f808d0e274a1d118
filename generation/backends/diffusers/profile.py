"""What there is to know about a checkpoint before anything is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

PROFILE_FILE: Final = "profile.json"
# From all in the device's memory to almost nothing there; see ladder.py.
RUNGS: Final = ("none", "tiling", "offload", "group offload", "fp8")

Guidance: TypeAlias = Literal["scale", "embedded", "guider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One family's rules; a checkpoint's own `profile.json` sharpens those that are about sizes and lengths.

    Sizes are in pixels. `pixels` and `size_multiple` choose a native size where none is fixed, `fps` and `frame_step`
    a native length. The three groups below answer: which checkpoints are meant, what they can make, how they are run.
    """

    name: str
    pipelines: tuple[str, ...]  # names that model_index.json may give to the pipeline
    mark: tuple[str, str] | None = (
        None  # (JSON file, entry that is set there), where the pipeline's name is not enough
    )
    text: str | None  # the class that starts from a prompt alone, and
    picture: str | None = None  # the class that starts from a picture, built from the same components

    fps: int  # frames a second that the model was trained at
    frame_step: int  # a stretch has frame_step * k + 1 frames, where no number is fixed
    max_frames: int
    pixels: int  # about as many as the model was trained at
    size_multiple: int
    aspect: tuple[float, float] = (0.5, 2.0)  # width / height that it can fill
    seconds: tuple[int, int] = (1, 20)
    window_seconds: tuple[float, float] | None = None  # what one stretch can be; none: any length
    images: bool = True  # false where a checkpoint has not learned to start from a picture
    width: int | None = None  # fixed native size and length, where the model knows only one
    height: int | None = None
    frames: int | None = None
    vocabulary: str | None = None  # file beside it that completes prompts

    max_sequence_length: int | None  # none: the pipeline takes no such argument
    length_argument: str = "num_frames"
    fps_argument: str | None = None
    guidance: Guidance = "scale"
    second_guidance: float | None = (
        None  # share of the guidance, above 1, that the second of two experts gets
    )
    picture_guidance: float | None = None  # the most that a stretch gets which starts from a picture
    settings: Mapping[str, Any] = field(default_factory=dict)  # arguments that are always the same
    unguided: Mapping[str, Any] = field(default_factory=dict)  # and those without guidance
    full_precision: tuple[str, ...] = ()  # parts that stay in float32 on a GPU
    ladder: tuple[str, ...] = RUNGS
    fewest_steps: int = 1
    cache: float | None = (
        None  # threshold of the first-block cache: faster, and other pictures; off unless asked for
    )
    compile: bool = False  # compiles the transformer's blocks for each new size: only asked for on a GPU

    @property
    def starts_from_pictures(self) -> bool:
        """Whether a clip can start from a picture, and so go on where another ended."""
        return self.images and self.picture is not None

"""What can be asked of a checkpoint: facts of its family, sharpened by a `profile.json` in its own folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from generation.errors import EngineError, SpecRejected
from generation.spec import RenderSpec

PROFILE_FILE: Final = "profile.json"


@dataclass(frozen=True, slots=True)
class Profile:
    """One model's rules. Sizes are in pixels; `pixels` and `size_multiple` choose a size where none is fixed."""

    pipeline: str  # class name in diffusers
    fps: int  # frames a second that the model was trained at
    frame_step: int  # a clip has frame_step * k + 1 frames, where no number is fixed
    max_frames: int
    pixels: int  # about as many as the model was trained at
    size_multiple: int
    max_sequence_length: int
    aspect: tuple[float, float]  # width / height that it can fill
    seconds: tuple[int, int]
    full_precision: tuple[str, ...] = ()  # parts that stay in float32 on a GPU
    width: int | None = None  # fixed native size and length, where the model knows only one
    height: int | None = None
    frames: int | None = None
    vocabulary: str | None = None  # file beside it that completes prompts


# Wan 2.1 and 2.2 as published: 480 x 832 at 16 frames a second, at most 81 frames; the VAE breaks in bfloat16.
FAMILIES: Final[dict[str, Profile]] = {
    "WanPipeline": Profile(
        pipeline="WanPipeline",
        fps=16,
        frame_step=4,
        max_frames=81,
        pixels=832 * 480,
        size_multiple=16,
        max_sequence_length=512,
        aspect=(0.5, 2.0),
        seconds=(1, 5),
        full_precision=("vae",),
    ),
}


@dataclass(frozen=True, slots=True)
class NativeSize:
    """What the model itself will make."""

    width: int
    height: int
    frames: int


def read_profile(folder: Path) -> Profile:
    """The profile of a checkpoint folder; EngineError when its pipeline is of no family that we know."""
    family = json.loads((folder / "model_index.json").read_text(encoding="utf-8")).get("_class_name")
    if family not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        raise EngineError(f"The checkpoint is a {family}; the families known here are {known}.")
    own = folder / PROFILE_FILE
    if not own.exists():
        return FAMILIES[family]
    return replace(FAMILIES[family], **_checked(json.loads(own.read_text(encoding="utf-8"))))


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    known = {field.name for field in fields(Profile)} - {"pipeline"}
    if unknown := sorted(set(values) - known):
        raise EngineError(f"The checkpoint's {PROFILE_FILE} has unknown entries: {', '.join(unknown)}.")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def check(profile: Profile, spec: RenderSpec) -> None:
    """Raises SpecRejected for a length or a shape that the model cannot fill, and says which ones it can."""
    shortest, longest = profile.seconds
    if not shortest <= spec.seconds <= longest:
        raise SpecRejected(
            "unsupported_length", f"This model makes clips of {shortest} to {longest} seconds."
        )
    narrow, wide = profile.aspect
    if min(spec.width, spec.height) < 2 or not narrow <= spec.width / spec.height <= wide:
        raise SpecRejected(
            "unsupported_size", f"This model does not fill {spec.width} × {spec.height}. {_sizes(profile)}"
        )
    if spec.width % 2 or spec.height % 2:
        raise SpecRejected("unsupported_size", "Width and height must be even.")
    if not 1 <= spec.steps <= 1000:
        raise SpecRejected("unsupported_steps", "This model takes 1 to 1000 steps.")


def _sizes(profile: Profile) -> str:
    offers = ((1280, 720), (1920, 1080), (720, 1280), (1080, 1920), (1024, 1024))
    low, high = profile.aspect
    fitting = [f"{width} × {height}" for width, height in offers if low <= width / height <= high]
    return f"Sizes that it fills are {', '.join(fitting)}." if fitting else ""


def native_size(profile: Profile, spec: RenderSpec) -> NativeSize:
    """The size and number of frames to ask the model for: its only one, or the nearest that it was trained near."""
    if profile.width and profile.height:
        width, height = profile.width, profile.height
    else:
        shrink = min(1.0, (profile.pixels / (spec.width * spec.height)) ** 0.5)
        width, height = (_nearest(side * shrink, profile.size_multiple) for side in (spec.width, spec.height))
    wanted = spec.seconds * profile.fps + 1
    whole = (wanted - 1 + profile.frame_step - 1) // profile.frame_step * profile.frame_step + 1
    return NativeSize(width, height, profile.frames or min(whole, profile.max_frames))


def _nearest(side: float, multiple: int) -> int:
    return max(multiple, round(side / multiple) * multiple)

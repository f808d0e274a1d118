"""Which sizes and lengths a model can be asked for, and the nearest where it cannot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from generation.backends.diffusers.profile import Profile
from generation.errors import SpecRejected
from generation.spec import RenderSpec

_OFFERS: Final = (
    *((640, 360), (960, 540), (1280, 720), (1920, 1080), (640, 480), (1024, 768), (720, 480), (1080, 720)),
    *((360, 640), (540, 960), (720, 1280), (1080, 1920), (480, 640), (768, 1024), (480, 720), (720, 1080)),
    *((512, 512), (768, 768), (1024, 1024)),
)


@dataclass(frozen=True, slots=True)
class NativeSize:
    """What the model itself will make: `frames` in each of `windows` stretches, of which all but the first begin with
    the last picture of the one before."""

    width: int
    height: int
    frames: int
    windows: int

    @property
    def volume(self) -> int:
        """Pixels of one stretch: what memory grows with."""
        return self.width * self.height * self.frames


def check_size(profile: Profile, spec: RenderSpec) -> None:
    """Raises SpecRejected for a length or a shape that the model cannot fill, and says the nearest that it can."""
    if not windows(profile, spec.seconds):
        raise SpecRejected("unsupported_length", _lengths(profile, spec.seconds))
    narrow, wide = profile.aspect
    if min(spec.width, spec.height) < 2 or not narrow <= spec.width / spec.height <= wide:
        raise SpecRejected(
            "unsupported_size",
            f"This model does not fill {spec.width} × {spec.height}. {_sizes(profile, spec.width, spec.height)}",
        )
    if spec.width % 2 or spec.height % 2:
        even = f"{spec.width // 2 * 2} × {spec.height // 2 * 2}"
        raise SpecRejected("unsupported_size", f"Width and height must be even; the nearest is {even}.")
    if not profile.fewest_steps <= spec.steps <= 1000:
        raise SpecRejected("unsupported_steps", f"This model takes {profile.fewest_steps} to 1000 steps.")


def native_size(profile: Profile, spec: RenderSpec) -> NativeSize:
    """The size and number of frames to ask the model for: its only one, or the nearest that it was trained near."""
    if profile.width and profile.height:
        width, height = profile.width, profile.height
    else:
        shrink = min(1.0, (profile.pixels / (spec.width * spec.height)) ** 0.5)
        width, height = (_nearest(side * shrink, profile.size_multiple) for side in (spec.width, spec.height))
    count = windows(profile, spec.seconds)
    steps = math.ceil(spec.seconds * profile.fps / count / profile.frame_step)
    frames = profile.frames or min(steps * profile.frame_step + 1, profile.max_frames)
    return NativeSize(width, height, frames, count)


def smallest_size(profile: Profile) -> NativeSize:
    """The cheapest render that runs every part."""
    side = 2 * profile.size_multiple
    return NativeSize(
        width=profile.width or side,
        height=profile.height or side,
        frames=profile.frames or profile.frame_step + 1,
        windows=1,
    )


def windows(profile: Profile, seconds: int) -> int:
    """In how many stretches a clip of that length is made; 0 when it cannot be made."""
    least, most = profile.seconds
    if not least <= seconds <= most:
        return 0
    if profile.window_seconds is None:
        return 1
    shortest, longest = profile.window_seconds
    count = math.ceil(seconds / longest)
    if count > 1 and not profile.starts_from_pictures:
        return 0
    return count if count * shortest <= seconds else 0


def _nearest(side: float, multiple: int) -> int:
    return max(multiple, round(side / multiple) * multiple)


def _lengths(profile: Profile, asked: int) -> str:
    least, most = profile.seconds
    able = [seconds for seconds in range(least, most + 1) if windows(profile, seconds)]
    runs = [
        [seconds for _, seconds in run]
        for _, run in groupby(
            enumerate(able), lambda pair: pair[1] - pair[0]
        )  # neighbours keep their distance
    ]
    said = ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
    below = max((seconds for seconds in able if seconds < asked), default=None)
    above = min((seconds for seconds in able if seconds > asked), default=None)
    nearest = " or ".join(str(seconds) for seconds in (below, above) if seconds is not None)
    return f"This model makes clips of {said} seconds; the nearest to {asked} is {nearest}."


def _sizes(profile: Profile, width: int, height: int) -> str:
    narrow, wide = profile.aspect
    fitting = [offer for offer in _OFFERS if narrow <= offer[0] / offer[1] <= wide]
    width, height = max(width, 2), max(height, 2)

    def distance(offer: tuple[int, int]) -> float:
        return math.hypot(math.log(offer[0] / width), math.log(offer[1] / height))

    nearest = sorted(fitting, key=distance)[:2]
    if not nearest:
        return f"It fills sizes whose width is {narrow:g} to {wide:g} times the height."
    said = " and ".join(f"{w} × {h}" for w, h in nearest)
    return f"The nearest sizes that it fills are {said}."

"""Nothing counts before it has been read back: size, length, and every frame to the end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av

from generation.errors import Transient


@dataclass(frozen=True, slots=True)
class Probed:
    width: int
    height: int
    frames: int
    seconds: float
    codec: str
    pixel_format: str


def probe(path: Path) -> Probed:
    """Decode a video to its end. Raises Transient when that does not work."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            frames = sum(1 for _ in container.decode(stream))
            context = stream.codec_context
            seconds = (
                float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
            )
            return Probed(context.width, context.height, frames, seconds, context.name, context.pix_fmt or "")
    except (av.FFmpegError, IndexError, OSError) as fault:
        raise Transient(f"{path.name} cannot be read back: {fault}") from fault


def check(path: Path, *, width: int, height: int, frames: int, seconds: int) -> None:
    """Raise Transient unless the file is what was asked for."""
    found = probe(path)
    if (found.width, found.height, found.frames) != (width, height, frames):
        raise Transient(f"{path.name} has {found.frames} frames of {found.width}x{found.height}")
    if abs(found.seconds - seconds) > 0.05:
        raise Transient(f"{path.name} lasts {found.seconds} s instead of {seconds}")

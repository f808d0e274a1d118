"""Nothing counts before it has been read back: size, length, colours, entry points, and every frame to the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from PIL import Image as Pictures

from generation.errors import Transient
from generation.media.plan import Plan, Size
from generation.spec import Image

GOP_SECONDS: Final = 2.0
_CODECS: Final = {"h264": ("h264",), "av1": ("av1", "libdav1d")}
_BT709: Final = (1, 1, 1, 1)  # primaries, transfer, matrix of ITU-T H.273; AVCOL_RANGE_MPEG
_TOLERANCE: Final = 0.05  # seconds
_SMALL: Final = 1_000_000  # pixels: above, frames are decoded by several threads


@dataclass(frozen=True, slots=True)
class Probed:
    """A decoded video. `gop` is the longest way from one key frame to the next, in seconds; infinite when one of them
    cannot be entered because what is shown after it needs frames from before."""

    width: int
    height: int
    frames: int
    seconds: float
    codec: str
    pixel_format: str
    colours: tuple[int, int, int, int]
    gop: float


def probe(path: Path) -> Probed:
    """Decode a video to its end. Raises Transient when that does not work."""
    with _opened(path) as (container, stream):
        context, frames, keys, broken = stream.codec_context, 0, [], False
        unit = float(stream.time_base or 0)
        for packet in container.demux(stream):
            if packet.pts is not None:
                if packet.is_keyframe:
                    keys.append(packet.pts * unit)
                broken = broken or not keys or packet.pts * unit < keys[-1]
            frames += len(packet.decode())
        seconds = float(stream.duration or 0) * unit
        gaps = [end - start for start, end in zip(keys, [*keys[1:], seconds], strict=True)]
        return Probed(
            context.width,
            context.height,
            frames,
            seconds,
            context.name,
            context.pix_fmt or "",
            (context.color_primaries, context.color_trc, context.colorspace, context.color_range),
            float("inf") if broken or not keys else max(gaps),
        )


def check_clip(path: Path, plan: Plan) -> None:
    """Raise Transient unless the file is the clip that was planned."""
    found = probe(path)
    if (found.width, found.height, found.frames) != (*plan.size, plan.frames):
        raise Transient(f"{path.name} has {found.frames} frames of {found.width}x{found.height}")
    if abs(found.seconds - plan.seconds) > _TOLERANCE:
        raise Transient(f"{path.name} lasts {found.seconds} s instead of {plan.seconds}")
    if found.codec not in _CODECS[plan.codec] or found.pixel_format != "yuv420p":
        raise Transient(f"{path.name} is {found.codec} {found.pixel_format} instead of {plan.codec}")
    if found.colours != _BT709:
        raise Transient(f"{path.name} says that its colours are {found.colours}")
    if found.gop > GOP_SECONDS + _TOLERANCE:
        raise Transient(f"{path.name} cannot be entered every {GOP_SECONDS} s")


def check_picture(path: Path, size: Size) -> None:
    """Raise Transient unless the file is a whole JPEG of that size."""
    try:
        with Pictures.open(path, formats=["JPEG"]) as picture:
            picture.load()
            found = picture.size
    except (OSError, SyntaxError) as fault:
        raise Transient(f"{path.name} cannot be read back: {fault}") from fault
    if found != size:
        raise Transient(f"{path.name} is {found[0]}x{found[1]}")


def check_source(path: Path, digest: str) -> None:
    """Raise Transient unless the raw frames in the file, one after the other, have that SHA-256."""
    found = hashlib.sha256()
    for image in source_frames(path):
        found.update(image.data)
    if found.hexdigest() != digest:
        raise Transient(f"{path.name} does not hold the frames that were rendered")


def source_frames(path: Path) -> Iterator[Image]:
    """The native frames of a `source` file, bit for bit, height x width x 3, one in memory at a time.

    Raises Transient where the file cannot be read.
    """
    with _opened(path) as (container, stream):
        turn = VideoReformatter()
        for frame in container.decode(stream):
            yield np.ascontiguousarray(turn.reformat(frame, format="rgb24").to_ndarray(), np.uint8)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The container and its video stream. What is damaged is a fault, not something to be hidden."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            context.thread_type = "AUTO" if context.width * context.height > _SMALL else "NONE"
            context.options = {"err_detect": "explode"}
            yield container, stream
    except (av.FFmpegError, IndexError, OSError, ValueError) as fault:
        raise Transient(f"{path.name} cannot be read back: {fault}") from fault

"""Pictures for tests of the engine, and what is inside a finished file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from generation.media import graph
from generation.media.encode import Encoding, encode
from generation.media.plan import Codec, Plan
from generation.spec import Cancelled, CopyMark, Image, VisibleMark

MARK = CopyMark(VisibleMark(programme="Private View", code="K7QM-4XPD"))


def plain(width: int, height: int, count: int, rgb: tuple[int, int, int]) -> list[Image]:
    return [np.full((height, width, 3), rgb, np.uint8) for _ in range(count)]


def noise(width: int, height: int, count: int) -> list[Image]:
    chance = np.random.default_rng(5)
    return [chance.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count)]


def moving_bar(width: int, height: int, count: int) -> list[Image]:
    """A light bar that goes from the left edge to the right one; every frame differs from every other."""
    images = plain(width, height, count, (40, 60, 90))
    for index, image in enumerate(images):
        left = round(index * (width - width // 8) / max(1, count - 1))
        image[:, left : left + width // 8] = (230, 210, 160)
    return images


@dataclass(frozen=True, slots=True)
class Files:
    plan: Plan
    mp4: Path
    poster: Path
    sprite: Path
    sheet: Path
    source: Path
    sha256: str  # of the native frames, as the encoder saw them


def make_clip(
    folder: Path,
    images: list[Image],
    *,
    size: tuple[int, int] = (640, 360),
    seconds: int = 1,
    fps: int = 8,
    mark: CopyMark | None = MARK,
    cancelled: Cancelled = lambda: False,
    encoding: Encoding | None = None,
    codec: Codec = "h264",
) -> Files:
    """Encodes the images with the mark, or with a plate that cannot be seen."""
    plan = Plan((images[0].shape[1], images[0].shape[0]), len(images), size, seconds, fps, codec)
    digest = encode(images, plan=plan, mark=mark, folder=folder, cancelled=cancelled, encoding=encoding)
    return Files(plan, **{kind: folder / name for kind, name in graph.NAMES.items()}, sha256=digest)


def frames_of(mp4: Path) -> list[NDArray[np.uint8]]:
    """Every frame as height x width x 3."""
    with av.open(str(mp4)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def boxes_of(mp4: Path) -> list[str]:
    """The names of an MP4's outermost boxes, in order (ISO/IEC 14496-12, section 4.2)."""
    content, at, names = mp4.read_bytes(), 0, []
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        if size == 1:
            (size,) = struct.unpack(">Q", content[at + 8 : at + 16])
        names.append(name.decode("ascii"))
        at += size or len(content)
    return names

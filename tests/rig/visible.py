"""Pictures that a visible mark is drawn into, and what is seen of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray
from PIL import Image as Pictures

from generation.media.visible import VisibleMarker
from generation.spec import MarkStyle, VisibleMark

Frame = NDArray[np.uint8]
CODE = "K7QM-4XPD"
FULL: tuple[MarkStyle, ...] = ("plate", "outline")
SIZES = [(640, 360), (1280, 720), (1920, 1080), (512, 512), (720, 1280), (364, 360), (854, 480)]
SMALL = [(640, 360), (360, 640), (512, 512)]
EVERY_LETTER = ["3467-9ACD", "EFGH-JKMN", "PQRT-UVWX", "Y3K7-QM4E"]
KEYS = [b"one", b"two", b"three", b"four", b"five"]
FPS = 8


def marker(
    style: MarkStyle = "plate",
    size: tuple[int, int] = (640, 360),
    *,
    code: str = CODE,
    programme: str = "Private View",
    key: bytes = b"one",
    fps: float = FPS,
) -> VisibleMarker:
    mark = VisibleMark(programme, code)
    return VisibleMarker(mark, style, width=size[0], height=size[1], fps=fps, schedule_key=key)


def flat(level: int, colour: int = 128) -> Callable[[int, int, int], Frame]:
    def drawn(width: int, height: int, index: int) -> Frame:
        frame = np.full((height * 3 // 2, width), colour, np.uint8)
        frame[:height] = level
        return frame

    return drawn


def noise(width: int, height: int, index: int) -> Frame:
    return np.random.default_rng(index).integers(16, 236, (height * 3 // 2, width), dtype=np.uint8)


def bars(width: int, height: int, index: int) -> Frame:
    """Dark and light bars of a third of the picture's height, and an eighth of that, that move to the right."""
    frame = flat(16, 110)(width, height, index)
    across = np.arange(width) + index * height // 40
    frame[:height] = np.where(across // (height // 3) % 2, 210, 40) + np.where(
        across // (height // 24) % 2, 20, -20
    )
    return frame


def checks(width: int, height: int, index: int) -> Frame:
    """About as large as a letter, which is the worst that a picture can do."""
    frame, side = flat(16, 150)(width, height, index), height // 45
    down, across = np.mgrid[:height, :width] // side
    frame[:height] = np.where((down + across) % 2, 225, 30)
    return frame


def photograph(width: int, height: int, index: int, seed: int = 7) -> Frame:
    """Every size of detail, as strong as it is large, in light and shade: what a photograph is to statistics."""
    chance, luma = np.random.default_rng(seed), np.zeros((height, width), np.float32)
    for cells in (3, 6, 12, 24, 48, 96, 192):
        drawn = Pictures.fromarray(chance.random((cells, cells * 2), dtype=np.float32) - 0.5)
        luma += np.asarray(drawn.resize((width, height), Pictures.Resampling.BICUBIC)) * 380 / cells**0.6
    frame = flat(16, 120)(width, height, index)
    frame[:height] = np.clip(np.roll(luma, 3 * index, axis=1) + 120, 16, 235)
    return frame


GROUNDS: dict[str, Callable[[int, int, int], Frame]] = {
    "white": flat(235),
    "black": flat(16),
    "grey": flat(126),
    "noise": noise,
    "bars": bars,
    "checks": checks,
    "photograph": photograph,
}
PHOTOGRAPHS = {f"photograph {seed}": partial(photograph, seed=seed) for seed in (1, 2, 3)}


@cache
def ground(name: str, width: int, height: int, index: int) -> Frame:
    return (GROUNDS | PHOTOGRAPHS)[name](width, height, index)


def marked(
    drawer: VisibleMarker, name: str, size: tuple[int, int], indices: Iterable[int]
) -> Iterator[Frame]:
    for index in indices:
        frame = ground(name, *size, index % 4).copy()
        drawer.apply(frame, index)
        yield frame


def luma(frame: Frame) -> Frame:
    return frame[: frame.shape[0] * 2 // 3]


def through_x264(folder: Path, frames: list[Frame], height: int) -> list[Frame]:
    """Luma of the frames after x264 at crf 26, scaled down to that height."""
    wide, high = frames[0].shape[1], frames[0].shape[0] * 2 // 3
    quiet = [get_ffmpeg_exe(), "-loglevel", "error", "-y"]
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{wide}x{high}", "-r", "24", "-i", "pipe:0"]
    packed = [*quiet, *raw, "-c:v", "libx264", "-crf", "26", "-preset", "veryfast", str(folder / "clip.mp4")]
    subprocess.run(packed, input=b"".join(frame.tobytes() for frame in frames), check=True)
    down = [
        "-i",
        str(folder / "clip.mp4"),
        "-vf",
        f"scale=-2:{height}",
        "-pix_fmt",
        "yuv420p",
        "-f",
        "rawvideo",
    ]
    out = subprocess.run([*quiet, *down, "pipe:1"], stdout=subprocess.PIPE, check=True).stdout
    return [luma(frame) for frame in np.frombuffer(out, np.uint8).reshape(len(frames), height * 3 // 2, -1)]


def changed(
    drawer: VisibleMarker, size: tuple[int, int], index: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of luma that differ, on white and on black together."""
    differs = np.zeros((size[1], size[0]), bool)
    for name in ("white", "black"):
        (frame,) = marked(drawer, name, size, [index])
        differs |= luma(frame) != luma(ground(name, *size, index % 4))
    rows, columns = np.nonzero(differs)
    return rows, columns

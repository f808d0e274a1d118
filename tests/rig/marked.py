"""Clips for tests of the forensic mark: textures that move, marked, encoded, and treated as platforms do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray

from generation.forensic.code import code_of
from generation.forensic.embed import Embedder

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-crf")
FPS = 24


def texture(width: int, height: int, seed: int = 1) -> NDArray[np.float32]:
    """Clouds of all sizes, in levels of luma."""
    chance = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    for octave in range(2, 9):
        cells = chance.standard_normal((2**octave * height // width + 2, 2**octave + 2)).astype(np.float32)
        larger = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)
        total += np.asarray(larger, np.float32) / np.float32(1.7**octave)
    return np.asarray((total - total.min()) / np.ptp(total) * 200 + 25, np.float32)


def moving(width: int, height: int, frames: int, seed: int = 1) -> Iterator[NDArray[np.uint8]]:
    """Luma planes: a texture that is panned slowly."""
    ground = texture(width + 200, height + 100, seed)
    for index in range(frames):
        shift = np.array([[1, 0, 40 * index / FPS], [0, 1, 15 * index / FPS]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        yield np.asarray(cv2.warpAffine(ground, shift, (width, height), flags=flags), np.uint8)


def write(
    path: Path, *, width: int, height: int, seconds: float, mark: tuple[bytes, int] | None, seed: int = 1
) -> Path:
    """A clip as it is delivered; `mark` is key and number."""
    size = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", str(FPS))
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", *size, "-i", "-", *X264, "18", str(path)]
    embedder = (
        Embedder(code_of(mark[0]), mark[1], clip="clip", width=width, height=height, fps=FPS)
        if mark
        else None
    )
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for index, luma in enumerate(moving(width, height, round(seconds * FPS), seed)):
            if embedder is not None:
                embedder.apply(luma, index)
            process.stdin.write(luma.tobytes())
    assert process.returncode == 0
    return path


def treated(source: Path, target: Path, *arguments: str) -> Path:
    """What ffmpeg makes of it with these arguments."""
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", "-i", str(source), *arguments, str(target)]
    subprocess.run(command, check=True, timeout=120)
    return target

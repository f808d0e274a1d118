"""Clips of the built-in model: rendered once, kept as native frames, stretched as a worker does."""

from __future__ import annotations

import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Final

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray

from generation.backends import registry
from generation.backends.base import Backend
from generation.media import graph
from generation.media.plan import Plan
from generation.pipeline import render
from generation.spec import RenderSpec
from tests.bench.marks import sources

PROMPTS: Final = Path(__file__).parent / "prompts.json"
_STEPS, _GUIDANCE = 16, 3.5


def frames(prompt: str, *, seconds: int, fps: int, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Luma of the delivered frames, height x width."""
    native = _native(prompt, seconds, size)
    plan = Plan((native.shape[2], native.shape[1]), len(native), size, seconds, fps)
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [get_ffmpeg_exe(), *graph.stretching(plan)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        feeder = Thread(target=_feed, args=(process, native), daemon=True)
        feeder.start()
        whole = size[0] * size[1] * 3 // 2
        while len(planes := process.stdout.read(whole)) == whole:
            yield np.frombuffer(planes, np.uint8)[: size[0] * size[1]].reshape(size[1], size[0]).copy()
        feeder.join()


def _feed(process: subprocess.Popen[bytes], native: NDArray[np.uint8]) -> None:
    assert process.stdin is not None
    with process.stdin:
        for image in native:
            process.stdin.write(image.tobytes())


def _native(prompt: str, seconds: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    name = f"{zlib.crc32(prompt.encode()):08x}-{seconds}-{size[0]}x{size[1]}.npz"
    path = sources.CACHE / "model" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        spec = RenderSpec(prompt, 7, *size, seconds, 24, _STEPS, _GUIDANCE)
        (made,) = render([spec], backend=_backend(), progress=lambda *_: None, cancelled=lambda: False)
        np.savez_compressed(path, frames=np.stack(list(made.frames.images)))
    with np.load(path) as kept:
        return np.asarray(kept["frames"], np.uint8)


@cache
def _backend() -> Backend:
    return registry.load("diffusers", "builtin")

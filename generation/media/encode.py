"""One ffmpeg process from native frames to every file, fed frame by frame, watched, and ended when it must be."""

from __future__ import annotations

import hashlib
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, TypeAlias

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

from generation.errors import EngineError, RenderCancelled, Transient
from generation.media import graph
from generation.media import mark as marks
from generation.media.plan import Plan, Size, sheet, sprite
from generation.spec import Cancelled, Image, VisibleMark

# Called with (frames encoded, frames in all); the first call has 0 done, the last one all.
Encoding: TypeAlias = Callable[[int, int], None]

_POLL: Final = 0.1  # seconds
_LONGEST: Final = 1800.0  # seconds; an encode that takes longer hangs


def encode(
    images: Iterable[Image],
    *,
    plan: Plan,
    mark: VisibleMark | None,
    folder: Path,
    cancelled: Cancelled,
    encoding: Encoding | None = None,
) -> str:
    """Write the files of `graph.NAMES` into the folder; returns the SHA-256 of the native frames.

    The frames are read once and never kept. Raises Transient when ffmpeg dies or the disk is full, RenderCancelled
    when it was stopped, EngineError when the images are not as the plan says, and whatever reading them raises.
    """
    command = (get_ffmpeg_exe(), *graph.arguments(plan, draw_plates(mark, plan, folder)))
    with _running(command, folder) as (process, complaints), ThreadPoolExecutor(1, "feed-ffmpeg") as pool:
        # Beside the watch, so that a process that stops reading can be stopped too.
        feeding = pool.submit(_feed, process, images, plan)
        try:
            _watch(process, feeding, plan.frames, cancelled, encoding)
        finally:
            process.kill()  # no-op for one that has ended; the feeder must not wait for one that has not
            process.wait()
        digest = feeding.result()
        if process.returncode:
            raise Transient(f"ffmpeg ended with {process.returncode}: {_tail(complaints)}")
    for name in graph.PLATES.values():
        (folder / name).unlink()
    return digest


def draw_plates(mark: VisibleMark | None, plan: Plan, folder: Path) -> tuple[tuple[Size, Size], ...]:
    """Draw the mark once for the clip and once for a cell of each grid; their sizes and upper left corners."""
    plates = []
    for name, size in zip(
        graph.PLATES.values(), (plan.size, sprite(plan).cell, sheet(plan).cell), strict=True
    ):
        plate, margin = marks.draw(mark, width=size[0], height=size[1]), marks.margin(*size)
        (folder / name).write_bytes(plate.tobytes())
        plates.append((plate.size, (margin, size[1] - plate.height - margin)))
    return tuple(plates)


@contextmanager
def _running(command: tuple[str, ...], folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints
        ) as process,
    ):
        yield process, complaints


def _feed(process: subprocess.Popen[bytes], images: Iterable[Image], plan: Plan) -> str:
    """Hand over all images. When ffmpeg ends early, its own words say why, and are read by the caller."""
    digest, count = hashlib.sha256(), 0
    shape = (plan.native[1], plan.native[0], 3)
    if process.stdin is None:
        raise Transient("ffmpeg has no input")
    with suppress(BrokenPipeError), process.stdin:
        for image in images:
            if image.shape != shape or image.dtype != np.uint8:
                raise EngineError(
                    f"a frame of {image.shape} {image.dtype} where {shape} uint8 were announced"
                )
            whole = np.ascontiguousarray(image).data
            digest.update(whole)
            process.stdin.write(whole)
            count += 1
        if count != plan.native_count:
            raise EngineError(f"{count} frames came where {plan.native_count} were announced")
    return digest.hexdigest()


def _watch(
    process: subprocess.Popen[bytes],
    feeding: Future[str],
    frames: int,
    cancelled: Cancelled,
    encoding: Encoding | None,
) -> None:
    """Until ffmpeg has ended; pass on what it says of its progress, and stop it when there is reason to."""
    deadline = time.monotonic() + _LONGEST
    tell = encoding or (lambda *_: None)
    tell(0, frames)
    for done in _progress(process):
        if cancelled():
            raise RenderCancelled
        if time.monotonic() > deadline:
            raise Transient("ffmpeg did not come to an end")
        if feeding.done() and feeding.exception():
            return  # half of the frames make no clip; the caller raises what happened
        if done is not None:
            tell(min(done, frames), frames)
    if process.returncode == 0 and not (feeding.done() and feeding.exception()):
        tell(frames, frames)


def _progress(process: subprocess.Popen[bytes]) -> Iterator[int | None]:
    """Frames of the clip that are encoded, whenever ffmpeg says so; None when it has been silent for a while."""
    with selectors.DefaultSelector() as waiting:
        if process.stdout is not None:
            waiting.register(process.stdout, selectors.EVENT_READ)
        while waiting.get_map():
            if not waiting.select(_POLL):
                yield None
            elif said := os.read(process.stdout.fileno(), 1 << 16):  # type: ignore[union-attr]
                counts = [line[6:] for line in said.splitlines() if line.startswith(b"frame=")]
                yield int(counts[-1]) if counts and counts[-1].strip().isdigit() else None
            else:
                waiting.unregister(process.stdout)  # type: ignore[arg-type]
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL)
            return
        yield None


def _tail(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    return complaints.read()[-600:].decode(errors="replace").strip()

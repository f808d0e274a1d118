"""One pass from native frames to every file: two ffmpeg processes, and between them the marks, frame by frame."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from typing import Final, TypeAlias

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

from generation.errors import EngineError, RenderCancelled, Transient
from generation.media import graph
from generation.media import mark as plates
from generation.media.marking import Marker
from generation.media.plan import Plan, Size, sheet, sprite
from generation.media.process import Running, progress
from generation.spec import Cancelled, CopyMark, Image, VisibleMark

# Called with (frames encoded, frames in all); the first call has 0 done, the last one all.
Encoding: TypeAlias = Callable[[int, int], None]

_LONGEST: Final = 1800.0  # seconds; an encode that takes longer hangs


def encode(
    images: Iterable[Image],
    *,
    plan: Plan,
    mark: CopyMark | None,
    folder: Path,
    cancelled: Cancelled,
    encoding: Encoding | None = None,
    source: bool = True,
) -> str:
    """Write the files of `graph.NAMES` into the folder, the source only if wanted; returns the SHA-256 of the native
    frames.

    The frames are read once and never kept. Raises Transient when ffmpeg dies or the disk is full, RenderCancelled
    when it was stopped, EngineError when the images are not as the plan says, and whatever reading them raises.
    """
    stretching = (get_ffmpeg_exe(), *graph.stretching(plan, source=source))
    with Running(stretching, folder) as stretch:
        digests: list[str] = []

        def feed() -> None:
            digests.append(_feed(stretch.process, images, plan))

        write(stretch, feed, plan=plan, mark=mark, folder=folder, cancelled=cancelled, encoding=encoding)
    return digests[0]


def write(
    frames: Running,
    feed: Callable[[], None],
    *,
    plan: Plan,
    mark: CopyMark | None,
    folder: Path,
    cancelled: Cancelled,
    encoding: Encoding | None = None,
) -> None:
    """Mark the delivered frames that `frames` puts out while `feed` fills it, and write every file but the source."""
    drawn = draw_plates(mark.visible if mark else None, plan, folder)
    marker = Marker(mark, size=plan.size, fps=plan.fps)
    writing = (get_ffmpeg_exe(), *graph.writing(plan, drawn, plan.poster(marker.settled)))
    with Running(writing, folder) as files, ThreadPoolExecutor(2, "feed-ffmpeg") as pool:
        # Beside the watch, so that a process that stops reading can be stopped too.
        work = (pool.submit(feed), pool.submit(_pass_on, frames.process, files.process, marker, plan))
        try:
            _watch(files.process, work, plan.frames, cancelled, encoding)
            if files.process.returncode == 0 and not _faulty(work):
                _watch(frames.process, work, plan.frames, cancelled, None)  # it may still write the source
        finally:
            both = (frames, files)
            ends = [running.end() for running in both]
        for done in work:
            done.result()
        for running, code in zip(both, ends, strict=True):
            if code:
                raise Transient(f"ffmpeg ended with {code}: {running.complaints()}")
    for name in graph.PLATES.values():
        (folder / name).unlink()


def draw_plates(mark: VisibleMark | None, plan: Plan, folder: Path) -> tuple[tuple[Size, Size], ...]:
    """Draw the mark once for a cell of each grid; their sizes and upper left corners."""
    drawn = []
    for name, size in zip(graph.PLATES.values(), (sprite(plan).cell, sheet(plan).cell), strict=True):
        plate, margin = plates.draw(mark, width=size[0], height=size[1]), plates.margin(*size)
        (folder / name).write_bytes(plate.tobytes())
        drawn.append((plate.size, (margin, size[1] - plate.height - margin)))
    return tuple(drawn)


def _feed(process: Popen[bytes], images: Iterable[Image], plan: Plan) -> str:
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


def _pass_on(frames: Popen[bytes], files: Popen[bytes], marker: Marker, plan: Plan) -> None:
    """Each delivered frame from one process to the other, marked on its way. One in memory at a time."""
    if frames.stdout is None or files.stdin is None:
        raise Transient("ffmpeg has no output")
    width, height = plan.size
    frame = np.empty((height * 3 // 2, width), np.uint8)
    with suppress(BrokenPipeError), files.stdin:
        for index in range(plan.frames):
            if frames.stdout.readinto(frame.data.cast("B")) != frame.size:  # type: ignore[attr-defined]
                return  # it ended early: how, its return code tells
            marker.apply(frame, index)
            files.stdin.write(frame.data)


def _watch(
    process: Popen[bytes],
    work: Sequence[Future[None]],
    frames: int,
    cancelled: Cancelled,
    encoding: Encoding | None,
) -> None:
    """Until ffmpeg has ended; pass on what it says of its progress, and stop it when there is reason to."""
    deadline = time.monotonic() + _LONGEST
    tell = encoding or (lambda *_: None)
    tell(0, frames)
    for done in progress(process):
        if cancelled():
            raise RenderCancelled
        if time.monotonic() > deadline:
            raise Transient("ffmpeg did not come to an end")
        if _faulty(work):
            return  # half of the frames make no clip; the caller raises what happened
        if done is not None:
            tell(min(done, frames), frames)
    if process.returncode == 0 and not _faulty(work):
        tell(frames, frames)


def _faulty(work: Sequence[Future[None]]) -> bool:
    return any(done.done() and done.exception() for done in work)

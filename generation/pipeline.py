"""From a spec to files: render, stretch, mark, encode, read back. Plain Python; a folder is all it needs."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Literal

from generation.backends.base import Backend
from generation.errors import Transient
from generation.media import mark as marks
from generation.media.encode import encode
from generation.media.probe import check
from generation.spec import Cancelled, FileMade, Frames, Produced, Progress, RenderSpec, VisibleMark

_TYPES = {"mp4": "video/mp4", "poster": "image/jpeg"}


def produce(
    spec: RenderSpec,
    *,
    backend: Backend,
    mark: VisibleMark,
    folder: Path,
    progress: Progress,
    cancelled: Cancelled,
) -> Produced:
    """Make a clip's files in `folder`, which is the caller's to remove.

    Raises SpecRejected, Transient or RenderCancelled; the folder is then empty again.
    """
    try:
        began = time.monotonic()
        frames = backend.render([spec], progress=progress, cancelled=cancelled)[0]
        rendered = time.monotonic() - began
        return _finish(spec, frames, mark, folder, cancelled, rendered)
    except BaseException as fault:
        for left in folder.iterdir():
            left.unlink()
        if isinstance(fault, OSError):
            raise Transient(f"the disk refused: {fault}") from fault
        raise


def _finish(
    spec: RenderSpec, frames: Frames, mark: VisibleMark, folder: Path, cancelled: Cancelled, rendered: float
) -> Produced:
    began = time.monotonic()
    images = list(frames.images)
    plate, mp4, poster = folder / "mark.png", folder / "clip.mp4", folder / "poster.jpg"
    marks.draw(mark, width=spec.width, height=spec.height).save(plate)
    encode(
        images,
        native=(frames.width, frames.height),
        native_count=frames.count,
        size=(spec.width, spec.height),
        seconds=spec.seconds,
        fps=spec.fps,
        mark=plate,
        margin=marks.margin(spec.width, spec.height),
        mp4=mp4,
        poster=poster,
        cancelled=cancelled,
    )
    plate.unlink()
    check(mp4, width=spec.width, height=spec.height, frames=spec.frame_count, seconds=spec.seconds)
    digest = hashlib.sha256()
    for image in images:
        digest.update(image.tobytes())
    return Produced(
        files=(_file("mp4", mp4, spec), _file("poster", poster, spec)),
        frames_sha256=digest.hexdigest(),
        frame_count=spec.frame_count,
        fps=spec.fps,
        seconds=float(spec.seconds),
        native_width=frames.width,
        native_height=frames.height,
        native_frames=frames.count,
        method=_method(spec, frames),
        completed_prompt=frames.completed_prompt,
        ignored_words=frames.ignored_words,
        render_seconds=rendered,
        encode_seconds=time.monotonic() - began,
        windows=frames.windows,
    )


def _file(kind: Literal["mp4", "poster"], path: Path, spec: RenderSpec) -> FileMade:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileMade(kind, path, digest, path.stat().st_size, _TYPES[kind], spec.width, spec.height)


def _method(spec: RenderSpec, frames: Frames) -> str:
    """How native frames became the delivered ones, said plainly."""
    done = []
    if frames.count != spec.frame_count:
        done.append(f"Stretched to {spec.fps} frames a second by motion-compensated interpolation")
    if (frames.width, frames.height) != (spec.width, spec.height):
        done.append(f"{'scaled' if done else 'Scaled'} to {spec.width} × {spec.height}, cropped to fit")
    return (", ".join(done) or "Delivered as the model made it") + "."

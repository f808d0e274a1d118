"""From a spec to files: render, stretch, mark, encode, read back. Plain Python; a folder is all it needs.

`produce` does it all for one clip. Several takes go through `render` together, and each through `finish` by itself.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from generation.backends.base import Backend
from generation.errors import RenderCancelled, Transient
from generation.media import graph, plan, probe, vtt
from generation.media.encode import Encoding, encode
from generation.media.plan import Codec, Plan, Size
from generation.spec import (
    Cancelled,
    CopyMark,
    FileKind,
    FileMade,
    Frames,
    Image,
    Produced,
    Progress,
    RenderSpec,
    VisibleMark,
)

_TYPES: Final[dict[FileKind, str]] = {
    "mp4": "video/mp4",
    "poster": "image/jpeg",
    "sprite": "image/jpeg",
    "sheet": "image/jpeg",
    "vtt": "text/vtt",
    "source": "video/x-matroska",
}
_VTT: Final = "sprite.vtt"

# Called with a finished file, where the signed one goes, its media type, and whether the mark can be read in it.
Sign: TypeAlias = Callable[[Path, Path, str, bool], None]
# Called with the native frames' file, and where the sealed one goes.
Seal: TypeAlias = Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One take as the backend made it; `seconds` is its share of the time that all of them took together."""

    spec: RenderSpec
    frames: Frames
    seconds: float


def produce(
    spec: RenderSpec,
    *,
    backend: Backend,
    mark: CopyMark,
    folder: Path,
    progress: Progress,
    cancelled: Cancelled,
    encoding: Encoding | None = None,
    codec: Codec = "h264",
) -> Produced:
    """Make a clip's files in `folder`, which is the caller's to remove.

    Raises SpecRejected, Transient or RenderCancelled; the folder is then empty again.
    """
    with _nothing_left_in(folder):
        take = render([spec], backend=backend, progress=progress, cancelled=cancelled)[0]
        return finish(take, mark=mark, folder=folder, cancelled=cancelled, encoding=encoding, codec=codec)


def render(
    takes: Sequence[RenderSpec], *, backend: Backend, progress: Progress, cancelled: Cancelled
) -> list[Rendered]:
    """Takes of one prompt, at most `backend.at_once`, in the order asked for. Raises what `Backend.render` raises."""
    began = time.monotonic()
    frames = backend.render(takes, progress=progress, cancelled=cancelled)
    share = (time.monotonic() - began) / len(takes)
    return [Rendered(spec, made, share) for spec, made in zip(takes, frames, strict=True)]


def finish(
    take: Rendered,
    *,
    mark: CopyMark,
    folder: Path,
    cancelled: Cancelled,
    encoding: Encoding | None = None,
    codec: Codec = "h264",
    sign: Sign | None = None,
    seal: Seal | None = None,
) -> Produced:
    """Make the files of one rendered take in `folder`, each read back before it counts, and signed or sealed last.

    `encoding` hears of frames done while ffmpeg runs. Raises Transient when the machine is not well, EngineError when
    the frames are not as announced, RenderCancelled; the folder is then empty again.
    """
    began = time.monotonic()
    spec, frames = take.spec, take.frames
    if cancelled():
        raise RenderCancelled
    planned = Plan(
        native=(frames.width, frames.height),
        native_count=frames.count,
        size=(spec.width, spec.height),
        seconds=spec.seconds,
        fps=spec.fps,
        codec=codec,
    )
    if frames.constant:
        files, digest = _constant(planned, frames)
    else:
        with _nothing_left_in(folder):
            digest = encode(
                frames.images, plan=planned, mark=mark, folder=folder, cancelled=cancelled, encoding=encoding
            )
            files = (*_read_back(planned, folder, sign), _source(planned, folder, digest, seal))
    return Produced(
        files=files,
        frames_sha256=digest,
        frame_count=planned.frames,
        fps=spec.fps,
        seconds=float(spec.seconds),
        native_width=frames.width,
        native_height=frames.height,
        native_frames=frames.count,
        method=_method(planned, frames),
        completed_prompt=frames.completed_prompt,
        ignored_words=frames.ignored_words,
        render_seconds=take.seconds,
        encode_seconds=time.monotonic() - began,
        windows=frames.windows,
    )


def copy(
    images: Iterable[Image],
    *,
    plan: Plan,
    frames_sha256: str,
    mark: CopyMark,
    folder: Path,
    cancelled: Cancelled,
    sign: Sign | None = None,
) -> tuple[FileMade, ...]:
    """The files of a clip once more, from its native frames, with the mark of another copy; no source.

    Raises what `finish` raises, and Transient where the frames are not those of that digest.
    """
    with _nothing_left_in(folder):
        digest = encode(images, plan=plan, mark=mark, folder=folder, cancelled=cancelled, source=False)
        if digest != frames_sha256:
            raise Transient("these are not the frames that were rendered")
        return _read_back(plan, folder, sign)


@contextmanager
def _nothing_left_in(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException as fault:
        for left in folder.iterdir():
            left.unlink()
        if isinstance(fault, OSError):
            raise Transient(f"the machine refused: {fault}") from fault
        raise


def _read_back(planned: Plan, folder: Path, sign: Sign | None = None) -> tuple[FileMade, ...]:
    """Every marked file, after it has shown that it is what was planned; the VTT file is written here. What is signed
    is never written to again: its SHA-256 is that of the signed file."""
    sprite, sheet = plan.sprite(planned), plan.sheet(planned)
    pictures: dict[FileKind, Size] = {"poster": planned.size, "sprite": sprite.size, "sheet": sheet.size}
    paths = {kind: folder / name for kind, name in graph.NAMES.items()}
    probe.check_clip(paths["mp4"], planned)
    for kind, size in pictures.items():
        probe.check_picture(paths[kind], size)
    (folder / _VTT).write_text(vtt.write(sprite, seconds=planned.seconds), encoding="utf-8")
    return (
        _file("mp4", paths["mp4"], planned.size, sign),
        *(_file(kind, paths[kind], size, sign) for kind, size in pictures.items()),
        _file("vtt", folder / _VTT, (0, 0)),
    )


def _source(planned: Plan, folder: Path, digest: str, seal: Seal | None) -> FileMade:
    """The native frames, after they have shown that they can be read again; sealed, nothing else is left of them."""
    path = folder / graph.NAMES["source"]
    probe.check_source(path, digest)
    if seal is None:
        return _file("source", path, planned.native)
    sealed = path.with_suffix(".sealed")
    seal(path, sealed)
    path.unlink()
    return replace(_file("source", sealed, planned.native), media_type="application/octet-stream")


_made: dict[Plan, tuple[tuple[FileMade, ...], str]] = {}


def _constant(planned: Plan, frames: Frames) -> tuple[tuple[FileMade, ...], str]:
    """The video and the poster of frames that never change, and the digest of these; made at the first such plan."""
    if planned not in _made:
        folder = Path(tempfile.mkdtemp(prefix="constant-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        mark = CopyMark(VisibleMark("Benchmark", "NULL-NULL"))
        digest = encode(
            frames.images, plan=planned, mark=mark, folder=folder, cancelled=lambda: False, source=False
        )
        files = _read_back(planned, folder)
        _made[planned] = tuple(made for made in files if made.kind in ("mp4", "poster")), digest
    return _made[planned]


def _file(kind: FileKind, path: Path, size: Size, sign: Sign | None = None) -> FileMade:
    if sign is not None:
        signed = path.with_name(f"signed-{path.name}")
        sign(path, signed, _TYPES[kind], kind != "sprite")  # its pictures are too small to carry one
        signed.replace(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileMade(kind, path, digest, path.stat().st_size, _TYPES[kind], *size)


def _method(planned: Plan, frames: Frames) -> str:
    """What the model made, and how that became the delivered frames, said plainly; at most 300 characters."""
    rate = f"{planned.native_count / planned.seconds:.1f}".removesuffix(".0")
    made = f"The model made {frames.count} frames of {frames.width} × {frames.height}, {rate} a second"
    if frames.windows > 1:
        made += f", in {frames.windows} windows, each going on from the last picture of the one before"
    done = []
    if planned.stretched:
        done.append(f"interpolated at that size to {planned.fps} a second (motion-compensated)")
    if planned.native != planned.size:
        done.append(f"scaled to {planned.size[0]} × {planned.size[1]}, cropped to fit")
    return f"{made}; {', then '.join(done)}." if done else f"{made}; delivered as made."

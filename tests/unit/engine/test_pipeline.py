"""From a spec to files that can be delivered; and an empty folder whenever it does not come to that."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures

from generation.backends.null import NullBackend
from generation.errors import EngineError, RenderCancelled, SpecRejected, Transient
from generation.media import probe
from generation.pipeline import produce
from generation.spec import Cancelled, Frames, Produced, Progress, RenderSpec
from tests.rig.clips import MARK, frames_of
from tests.rig.limits import files_no_larger_than
from tests.rig.mark_reader import read_code

SPEC = RenderSpec(prompt=" a bar ", seed=1, width=640, height=360, seconds=1, fps=12, steps=4, guidance=1.0)


def make(
    folder: Path,
    spec: RenderSpec = SPEC,
    *,
    backend: NullBackend | None = None,
    progress: Progress = lambda *_: None,
    cancelled: Cancelled = lambda: False,
) -> Produced:
    return produce(
        spec,
        backend=backend or NullBackend(),
        mark=MARK,
        folder=folder,
        progress=progress,
        cancelled=cancelled,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    return made


def test_makes_a_clip_and_a_poster_of_the_size_asked_for(folder: Path) -> None:
    produced = make(folder)
    assert sorted(folder.iterdir()) == sorted(made.path for made in produced.files)
    clip, poster = produced.file("mp4"), produced.file("poster")
    assert (clip.media_type, poster.media_type) == ("video/mp4", "image/jpeg")
    probe.check(clip.path, width=640, height=360, frames=12, seconds=1)
    with Pictures.open(poster.path) as picture:
        assert (picture.format, picture.size) == ("JPEG", (640, 360))
    for made in produced.files:
        assert made.bytes == made.path.stat().st_size > 0
        assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
        assert (made.width, made.height) == (640, 360)


def test_says_what_the_model_made_and_what_was_done_to_it(folder: Path) -> None:
    produced = make(folder)
    assert (produced.native_width, produced.native_height, produced.native_frames) == (160, 90, 16)
    assert (produced.frame_count, produced.fps, produced.seconds) == (12, 12, 1.0)
    assert produced.completed_prompt == "a bar"
    frames = NullBackend().render([SPEC], progress=lambda *_: None, cancelled=lambda: False)[0]
    native = b"".join(image.tobytes() for image in frames.images)
    assert produced.frames_sha256 == hashlib.sha256(native).hexdigest()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {},
            "Stretched to 12 frames a second by motion-compensated interpolation, scaled to 640 × 360, cropped to fit.",
        ),
        ({"fps": 16}, "Scaled to 640 × 360, cropped to fit."),
        (
            {"width": 160, "height": 90},
            "Stretched to 12 frames a second by motion-compensated interpolation.",
        ),
        ({"fps": 16, "width": 160, "height": 90}, "Delivered as the model made it."),
    ],
    ids=["both", "size only", "frames only", "neither"],
)
def test_the_method_names_each_change(folder: Path, change: dict[str, Any], sentence: str) -> None:
    assert make(folder, replace(SPEC, **change)).method == sentence


def test_burns_the_mark_into_frames_and_poster(folder: Path) -> None:
    produced = make(folder)
    frames = frames_of(produced.file("mp4").path)
    assert [read_code(frame) for frame in (frames[0], frames[6], frames[-1])] == [MARK.code] * 3
    with Pictures.open(produced.file("poster").path) as poster:
        assert read_code(np.asarray(poster.convert("RGB"))) == MARK.code


def test_the_same_spec_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    first, second = make(folder), make(again)
    assert first.frames_sha256 == second.frames_sha256
    assert first.file("poster").sha256 == second.file("poster").sha256


def test_passes_progress_on(folder: Path) -> None:
    reports: list[tuple[int, int]] = []
    make(folder, progress=lambda done, total: reports.append((done, total)))
    assert reports == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_stop_while_rendering_leaves_an_empty_folder(folder: Path) -> None:
    reports: list[int] = []
    with pytest.raises(RenderCancelled):
        make(
            folder,
            progress=lambda done, _: reports.append(done),
            cancelled=lambda: bool(reports) and reports[-1] == 2,
        )
    assert reports == [0, 1, 2]
    assert list(folder.iterdir()) == []


def test_a_stop_while_encoding_leaves_an_empty_folder(folder: Path) -> None:
    """The plate of the mark lies there from the moment encoding begins."""
    with pytest.raises(RenderCancelled):
        make(folder, replace(SPEC, seconds=20, fps=24), cancelled=lambda: (folder / "mark.png").exists())
    assert list(folder.iterdir()) == []


class Failing(NullBackend):
    def __init__(self, fault: BaseException) -> None:
        self._fault = fault

    def render(
        self, takes: Sequence[RenderSpec], *, progress: Progress, cancelled: Cancelled
    ) -> list[Frames]:
        raise self._fault


@pytest.mark.parametrize(
    "fault",
    [
        SpecRejected("unsupported_size", "Not that size."),
        Transient("no memory"),
        EngineError("broken"),
        ValueError("a bug"),
        KeyboardInterrupt(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_any_fault_comes_through_and_leaves_an_empty_folder(folder: Path, fault: BaseException) -> None:
    (folder / "half").write_bytes(b"left by somebody")
    with pytest.raises(type(fault)) as raised:
        make(folder, backend=Failing(fault))
    assert raised.value is fault
    assert list(folder.iterdir()) == []


def test_a_spec_that_is_refused_makes_nothing(folder: Path) -> None:
    with pytest.raises(SpecRejected, match="even"):
        make(folder, replace(SPEC, width=641))
    assert list(folder.iterdir()) == []


def test_a_full_disk_may_pass_and_leaves_an_empty_folder(folder: Path) -> None:
    with files_no_larger_than(2_000), pytest.raises(Transient):
        make(folder, replace(SPEC, width=1280, height=720))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "does",
    ["exit 1", "cat > /dev/null; kill -9 $$", "cat > /dev/null; exit 0"],
    ids=["refuses", "dies", "lies"],
)
def test_a_dead_ffmpeg_may_pass_and_leaves_an_empty_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    """The one that says all is well and made nothing is found out by reading back."""
    script = tmp_path / "ffmpeg"
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(0o755)
    monkeypatch.setattr("generation.media.encode.get_ffmpeg_exe", lambda: str(script))
    with pytest.raises(Transient):
        make(folder)
    assert list(folder.iterdir()) == []


def test_a_missing_ffmpeg_may_pass(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generation.media.encode.get_ffmpeg_exe", lambda: str(tmp_path / "none"))
    with pytest.raises(Transient, match="the disk refused"):
        make(folder)
    assert list(folder.iterdir()) == []

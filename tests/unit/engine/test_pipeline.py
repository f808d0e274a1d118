"""From a spec to files that can be delivered; and an empty folder whenever it does not come to that."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image as Pictures

from generation.backends.null import NullBackend
from generation.errors import EngineError, RenderCancelled, SpecRejected, Transient
from generation.media import probe
from generation.media.plan import Plan
from generation.pipeline import Rendered, finish, produce, render
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


def test_makes_every_file_of_the_size_asked_for(folder: Path) -> None:
    produced = make(folder)
    assert sorted(folder.iterdir()) == sorted(made.path for made in produced.files)
    clip, poster = produced.file("mp4"), produced.file("poster")
    assert (clip.media_type, poster.media_type) == ("video/mp4", "image/jpeg")
    probe.check_clip(clip.path, Plan((160, 90), 16, (640, 360), 1, 12))
    with Pictures.open(poster.path) as picture:
        assert (picture.format, picture.size) == ("JPEG", (640, 360))
    for made in produced.files:
        assert made.bytes == made.path.stat().st_size > 0
        assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    sizes = {made.kind: (made.width, made.height) for made in produced.files}
    assert sizes == {
        "mp4": (640, 360),
        "poster": (640, 360),
        "sprite": (640, 90),
        "sheet": (1940, 826),
        "vtt": (0, 0),
        "source": (160, 90),
    }


def test_says_what_the_model_made_and_what_was_done_to_it(folder: Path) -> None:
    produced = make(folder)
    assert (produced.native_width, produced.native_height, produced.native_frames) == (160, 90, 16)
    assert (produced.frame_count, produced.fps, produced.seconds) == (12, 12, 1.0)
    assert produced.completed_prompt == "a bar"
    frames = NullBackend().render([SPEC], progress=lambda *_: None, cancelled=lambda: False)[0]
    native = b"".join(image.tobytes() for image in frames.images)
    assert produced.frames_sha256 == hashlib.sha256(native).hexdigest()


MADE = "The model made 16 frames of 160 × 90, 16 a second; "


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {},
            "interpolated at that size to 12 a second (motion-compensated), then scaled to 640 × 360, cropped to fit.",
        ),
        ({"fps": 16}, "scaled to 640 × 360, cropped to fit."),
        ({"width": 160, "height": 90}, "interpolated at that size to 12 a second (motion-compensated)."),
        ({"fps": 16, "width": 160, "height": 90}, "delivered as made."),
    ],
    ids=["both", "size only", "frames only", "neither"],
)
def test_the_method_names_each_change(folder: Path, change: dict[str, Any], sentence: str) -> None:
    assert make(folder, replace(SPEC, **change)).method == MADE + sentence


class Windows(NullBackend):
    """As one that renders a long clip in several stretches."""

    def render(
        self, takes: Sequence[RenderSpec], *, progress: Progress, cancelled: Cancelled
    ) -> list[Frames]:
        return [
            replace(frames, windows=3)
            for frames in super().render(takes, progress=progress, cancelled=cancelled)
        ]


def test_the_method_names_the_windows_and_fits_its_column(folder: Path) -> None:
    produced = make(folder, backend=Windows())
    assert ", in 3 windows, each going on from the last picture of the one before; inter" in produced.method
    assert produced.windows == 3
    assert len(produced.method) <= 300 - len("00 1920 1080")


def test_takes_are_rendered_together_and_finished_one_by_one(folder: Path) -> None:
    """Each in a folder of its own; one that fails takes nothing of the others along."""
    specs = [replace(SPEC, seed=seed) for seed in (1, 2, 3)]
    takes = render(specs, backend=NullBackend(), progress=lambda *_: None, cancelled=lambda: False)
    assert [take.spec.seed for take in takes] == [1, 2, 3]
    folders = [folder / str(number) for number in range(3)]
    for each in folders:
        each.mkdir()
    takes[1] = replace(takes[1], frames=replace(takes[1].frames, count=17))
    first = finish(takes[0], mark=MARK, folder=folders[0], cancelled=lambda: False)
    with pytest.raises(EngineError, match="16 frames came where 17 were announced"):
        finish(takes[1], mark=MARK, folder=folders[1], cancelled=lambda: False)
    third = finish(takes[2], mark=MARK, folder=folders[2], cancelled=lambda: False)
    assert first.frames_sha256 == third.frames_sha256
    assert [len(list(each.iterdir())) for each in folders] == [6, 0, 6]


def test_frames_that_never_change_are_encoded_once(folder: Path) -> None:
    backend = NullBackend(constant=True)

    first, second = make(folder, backend=backend), make(folder, backend=backend)

    assert list(folder.iterdir()) == []
    assert [file.kind for file in first.files] == ["mp4", "poster"]
    assert first.files == second.files
    clip = first.file("mp4")
    assert hashlib.sha256(clip.path.read_bytes()).hexdigest() == clip.sha256
    assert first.frames_sha256 == make(folder, backend=NullBackend()).frames_sha256


def test_a_stop_counts_where_nothing_is_encoded(folder: Path) -> None:
    frames = NullBackend(constant=True).render([SPEC], progress=lambda *_: None, cancelled=lambda: False)[0]
    with pytest.raises(RenderCancelled):
        finish(Rendered(SPEC, frames, 0.0), mark=MARK, folder=folder, cancelled=lambda: True)


def test_tells_of_the_encoding(folder: Path) -> None:
    reports: list[tuple[int, int]] = []
    finish(
        render([SPEC], backend=NullBackend(), progress=lambda *_: None, cancelled=lambda: False)[0],
        mark=MARK,
        folder=folder,
        cancelled=lambda: False,
        encoding=lambda done, total: reports.append((done, total)),
    )
    assert reports[0] == (0, 12)
    assert reports[-1] == (12, 12)
    assert reports == sorted(reports)


def test_burns_the_mark_into_frames_and_poster(folder: Path) -> None:
    produced = make(folder)
    frames = frames_of(produced.file("mp4").path)
    greys = [
        np.asarray(Pictures.fromarray(frame).convert("L")) for frame in (frames[0], frames[6], frames[-1])
    ]
    assert [read_code(grey) for grey in greys] == [MARK.visible.code] * 3
    with Pictures.open(produced.file("poster").path) as poster:
        assert read_code(np.asarray(poster.convert("L"))) == MARK.visible.code


def test_keeps_the_native_frames_without_loss_and_without_the_mark(folder: Path) -> None:
    produced = make(folder, replace(SPEC, width=1280, height=720))
    kept = list(probe.source_frames(produced.file("source").path))
    frames = NullBackend().render([SPEC], progress=lambda *_: None, cancelled=lambda: False)[0]
    assert [image.tobytes() for image in kept] == [image.tobytes() for image in frames.images]


def test_the_same_spec_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    first, second = make(folder), make(again)
    assert first.frames_sha256 == second.frames_sha256
    assert [made.sha256 for made in first.files] == [made.sha256 for made in second.files]


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
        make(folder, replace(SPEC, seconds=20, fps=24), cancelled=lambda: (folder / "sheet.rgba").exists())
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


FILL = """
import sys
from pathlib import Path
from generation.backends.null import NullBackend
from generation.errors import Transient
from generation.pipeline import Rendered, finish, produce, render
from generation.spec import CopyMark, RenderSpec, VisibleMark
folder, spec = Path(sys.argv[1]), RenderSpec("a bar", 1, 1280, 720, 2, 24, 1, 1.0)
try:
    produce(spec, backend=NullBackend(), mark=CopyMark(VisibleMark("Private View", "K7QM-4XPD")), folder=folder,
            progress=lambda *_: None, cancelled=lambda: False)
except Transient as fault:
    print("transient", len(list(folder.iterdir())), fault)
"""


@pytest.mark.parametrize("size", ["32k", "160k"], ids=["no room for a plate", "no room for the clip"])
def test_a_disk_that_is_really_full_may_pass_and_leaves_an_empty_folder(folder: Path, size: str) -> None:
    """A file system of that size, which only a namespace of its own sees; not every machine grants one."""
    apart = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine grants no user namespaces; files_no_larger_than stands for the full disk")
    mount = 'mount -t tmpfs -o size="$1" none "$2" && exec "$3" -c "$4" "$2"'
    full = [*apart, "sh", "-c", mount, "sh", size, str(folder), sys.executable, FILL]
    done = subprocess.run(full, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("transient 0 "), (done.stdout, done.stderr)
    assert "No space left" in done.stdout


def test_an_ffmpeg_killed_in_the_middle_may_pass_and_leaves_an_empty_folder(folder: Path) -> None:
    killed: list[int] = []

    def kill() -> bool:
        for child in psutil.Process().children():
            if child.name().startswith("ffmpeg") and (folder / "clip.mp4").exists():
                child.kill()
                killed.append(child.pid)
        return False

    with pytest.raises(Transient, match="ended with -9"):
        make(folder, replace(SPEC, width=1280, height=720, seconds=20, fps=24), cancelled=kill)
    assert killed
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
    with pytest.raises(Transient, match="the machine refused"):
        make(folder)
    assert list(folder.iterdir()) == []

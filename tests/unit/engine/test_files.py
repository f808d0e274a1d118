"""The files beside the clip: small pictures, their times, the source; and each is read back before it counts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

from generation.errors import Transient
from generation.media import plan, probe, vtt
from generation.media.plan import Plan, Size
from generation.spec import CopyMark, Image, VisibleMark
from tests.rig.clips import Files, frames_of, make_clip, moving_bar, noise


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Sixteen native frames as two seconds at 12 a second; the bar is somewhere else in each frame."""
    return make_clip(tmp_path_factory.mktemp("clip"), moving_bar(160, 96, 16), seconds=2, fps=12, mark=None)


def picture(path: Path) -> Image:
    with Pictures.open(path) as opened:
        return np.asarray(opened.convert("RGB"), np.uint8)


def cell(sheet: Image, grid: plan.Grid, index: int) -> Image:
    (left, top), (width, height) = grid.place(index), grid.cell
    return sheet[top : top + height, left : left + width]


def nearest(part: Image, frames: list[Image]) -> int:
    """The frame that looks most like a small picture."""
    height, width = part.shape[:2]
    small = [np.asarray(Pictures.fromarray(frame).resize((width, height)), np.float32) for frame in frames]
    return int(np.argmin([np.abs(frame - part).mean() for frame in small]))


def test_each_cell_of_the_sprite_and_the_sheet_is_the_frame_that_the_plan_says(clip: Files) -> None:
    frames = frames_of(clip.mp4)
    for grid, path in ((plan.sprite(clip.plan), clip.sprite), (plan.sheet(clip.plan), clip.sheet)):
        whole = picture(path)
        assert whole.shape[:2] == grid.size[::-1]
        found = [nearest(cell(whole, grid, index), frames) for index in range(len(grid.picks))]
        assert np.abs(np.array(found) - grid.picks).max() <= 1
        assert found == sorted(found)


def test_cells_without_a_frame_are_dark(tmp_path: Path) -> None:
    """Sixteen small frames in rows of ten, eleven larger ones in rows of four."""
    light = [np.full((90, 160, 3), 240, np.uint8)] * 16
    for seconds, fps in ((4, 4), (1, 11)):
        files = make_clip(tmp_path, light, size=(160, 90), seconds=seconds, fps=fps)
        for grid, path in ((plan.sprite(files.plan), files.sprite), (plan.sheet(files.plan), files.sheet)):
            whole = picture(path)
            for index in range(len(grid.picks), grid.columns * grid.rows):
                assert cell(whole, grid, index)[4:-4, 4:-4].max() < 40
            assert cell(whole, grid, len(grid.picks) - 1)[:40].mean() > 200


def test_poster_and_sheet_show_what_the_model_drew_and_nothing_between(tmp_path: Path) -> None:
    """Dark and light frames in turn: half-way between two, a frame is grey."""
    turns = [np.full((90, 160, 3), 20 if index % 2 else 235, np.uint8) for index in range(15)]
    files = make_clip(tmp_path, turns, size=(160, 90), seconds=4, fps=24, mark=None)
    levels = [float(frame.mean()) for frame in frames_of(files.mp4)]
    assert any(90 < level < 165 for level in levels)
    grid, whole = plan.sheet(files.plan), picture(files.sheet)
    shown = [cell(whole, grid, index) for index in range(len(grid.picks))]
    for one in (picture(files.poster), *shown):
        assert not 55 < one.mean() < 200


def test_every_cue_shows_the_moment_that_it_names(clip: Files) -> None:
    grid, whole, frames = plan.sprite(clip.plan), picture(clip.sprite), frames_of(clip.mp4)
    cues = re.findall(r"(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)\n", vtt.write(grid, seconds=2))
    assert len(cues) == 8
    for begins, ends, name, *box in cues:
        assert name == clip.sprite.name
        left, top, width, height = map(int, box)
        shown = nearest(whole[top : top + height, left : left + width], frames) / 12
        assert float(begins[-6:]) - 0.1 <= shown <= float(ends[-6:]) + 0.1
    assert [cue[0] for cue in cues[1:]] == [cue[1] for cue in cues[:-1]]
    assert (cues[0][0], cues[-1][1]) == ("00:00:00.000", "00:00:02.000")


def test_the_vtt_file_begins_as_one() -> None:
    text = vtt.write(plan.Grid((160, 90), 10, tuple(range(80))), seconds=20)
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:00.250\nsprite.jpg#xywh=0,0,160,90\n\n")
    assert text.endswith("00:00:19.750 --> 00:00:20.000\nsprite.jpg#xywh=1440,630,160,90\n")


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1024, 1024), (160, 90), (90, 160), (364, 360)])
@pytest.mark.parametrize(("seconds", "fps"), [(2, 24), (20, 30), (1, 8), (7, 24)])
@pytest.mark.parametrize("count", [1, 11, 12, 13, 16, 161, 700])
def test_grids_fit_their_frames(size: Size, seconds: int, fps: int, count: int) -> None:
    clip = Plan((160, 96), count, size, seconds, fps)
    for grid, longest in ((plan.sprite(clip), 160), (plan.sheet(clip), 480)):
        assert len(set(grid.picks)) == len(grid.picks) <= grid.columns * grid.rows
        assert 0 <= grid.picks[0] < grid.picks[-1] < clip.frames
        assert list(grid.picks) == sorted(grid.picks)
        assert max(grid.cell) <= min(longest, max(size))
        assert grid.cell[0] % 2 == grid.cell[1] % 2 == 0
        assert grid.cell[0] / grid.cell[1] == pytest.approx(size[0] / size[1], rel=0.03)
        right, below = grid.place(grid.columns * grid.rows - 1)
        assert (right + grid.cell[0] + grid.gap, below + grid.cell[1] + grid.gap) == grid.size


@pytest.mark.parametrize("path", ["poster", "sprite", "sheet", "mp4"])
def test_what_is_handed_out_is_marked_and_the_source_is_not(tmp_path: Path, path: str) -> None:
    """Two marks, two files; the plate is dark, so that a white clip is dark only there."""
    white = [np.full((90, 160, 3), 255, np.uint8)] * 8
    files = make_clip(
        tmp_path, white, size=(640, 360), mark=CopyMark(VisibleMark("Private View", "K7QM-4XPD"))
    )
    if path == "mp4":
        pictures = [frames_of(files.mp4)[0]]
    elif path == "poster":
        pictures = [picture(files.poster)]
    else:
        grid = plan.sprite(files.plan) if path == "sprite" else plan.sheet(files.plan)
        pictures = [cell(picture(getattr(files, path)), grid, index) for index in range(len(grid.picks))]
    for image in pictures:
        assert 0.005 < (image.mean(2) < 170).mean() < 0.16
    assert all((image == 255).all() for image in probe.source_frames(files.source))


@pytest.mark.parametrize("native", [(160, 96), (159, 95), (64, 36)])
def test_the_source_gives_back_every_bit(tmp_path: Path, native: Size) -> None:
    """Noise is the worst that can come; the plate is larger than the native frames."""
    images = noise(*native, 5)
    files = make_clip(tmp_path, images, size=(1280, 720), fps=8)
    digest = hashlib.sha256(b"".join(image.tobytes() for image in images)).hexdigest()
    assert files.sha256 == digest
    probe.check_source(files.source, digest)
    kept = list(probe.source_frames(files.source))
    assert len(kept) == 5
    assert all((ours == theirs).all() for ours, theirs in zip(images, kept, strict=True))


def test_a_source_of_other_frames_does_not_count(clip: Files) -> None:
    with pytest.raises(Transient, match="does not hold the frames"):
        probe.check_source(clip.source, "0" * 64)


@pytest.mark.parametrize("at", [0.3, 0.6, 0.9])
def test_a_damaged_source_does_not_count(clip: Files, tmp_path: Path, at: float) -> None:
    content = bytearray(clip.source.read_bytes())
    for offset in range(24):
        content[int(len(content) * at) + offset] ^= 0x5A
    damaged = tmp_path / "source.mkv"
    damaged.write_bytes(content)
    with pytest.raises(Transient):
        probe.check_source(damaged, clip.sha256)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (320, 360)},
        {"size": (640, 180)},
        {"fps": 11},
        {"seconds": 1, "fps": 24},
        {"codec": "av1"},
    ],
    ids=["width", "height", "frames", "seconds", "codec"],
)
def test_a_clip_that_is_not_what_was_planned_does_not_count(clip: Files, wrong: dict[str, object]) -> None:
    probe.check_clip(clip.mp4, clip.plan)
    with pytest.raises(Transient):
        probe.check_clip(clip.mp4, replace(clip.plan, **wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["mp4", "poster", "sprite", "sheet", "source"])
def test_half_a_file_does_not_count(clip: Files, tmp_path: Path, name: str) -> None:
    whole: Path = getattr(clip, name)
    half = tmp_path / whole.name
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    size = picture(whole).shape[1::-1] if whole.suffix == ".jpg" else (0, 0)
    check: dict[str, Callable[[Path], None]] = dict.fromkeys(
        ("poster", "sprite", "sheet"), lambda path: probe.check_picture(path, size)
    ) | {
        "mp4": lambda path: probe.check_clip(path, clip.plan),
        "source": lambda path: probe.check_source(path, clip.sha256),
    }
    for path in (half, tmp_path / "none"):
        with pytest.raises(Transient):
            check[name](path)


def test_a_picture_of_another_size_or_kind_does_not_count(clip: Files, tmp_path: Path) -> None:
    with pytest.raises(Transient, match="640x360"):
        probe.check_picture(clip.poster, (640, 362))
    other = tmp_path / "poster.jpg"
    Pictures.new("RGB", (640, 360)).save(other, format="PNG")
    with pytest.raises(Transient, match="cannot be read back"):
        probe.check_picture(other, (640, 360))

"""The moving mark can be read off every frame, on any picture, and no crop that keeps the picture is without it."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray
from PIL import Image as Pictures

from core.ids import _CODE_ALPHABET
from generation.media.visible import CAPTIONS, VisibleMarker
from generation.spec import MarkStyle, VisibleMark
from tests.rig.mark_reader import read_code

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


@pytest.mark.parametrize("name", GROUNDS)
@pytest.mark.parametrize("style", FULL)
def test_the_code_is_read_off_a_frame_of_360_lines_at_every_time(style: MarkStyle, name: str) -> None:
    """At the first place, in the middle of moving, and at the second."""
    drawer = marker(style)
    frames = list(marked(drawer, name, (640, 360), range(3 * FPS)))
    moving = next(index for index in range(3 * FPS) if drawer.code_at(index) != drawer.code_at(0))
    assert [read_code(luma(frames[index])) for index in (0, moving, -1)] == [CODE] * 3


@pytest.mark.parametrize("size", [(1920, 1080), (720, 1280), (512, 512)])
@pytest.mark.parametrize("style", FULL)
def test_the_code_is_read_off_a_larger_clip_seen_at_360_lines(
    style: MarkStyle, size: tuple[int, int]
) -> None:
    for name in GROUNDS:
        (frame,) = marked(marker(style, size), name, size, [3 * FPS])
        assert read_code(luma(frame)) == CODE, name


@pytest.mark.parametrize("size", [(640, 360), (1920, 1080)], ids=["360p", "1080p seen at 360p"])
@pytest.mark.parametrize("style", FULL)
def test_the_code_is_read_back_from_a_clip_compressed_hard_a_quarter_of_a_second_after_each_cut(
    tmp_path: Path, style: MarkStyle, size: tuple[int, int]
) -> None:
    drawer, frames = marker(style, size, fps=24), list[Frame]()
    for cut, name in enumerate(GROUNDS):
        frames += marked(drawer, name, size, range(6 * cut, 6 * cut + 6))
    seen = through_x264(tmp_path, frames, 360)
    assert [read_code(frame) for frame in seen[5::6]] == [CODE] * len(GROUNDS)


@pytest.mark.parametrize("style", FULL)
def test_the_code_is_read_off_every_frame_while_the_picture_grows_light_and_dark_again(
    style: MarkStyle,
) -> None:
    """The letters turn with it, from light to dark and back: in no frame are they of their edge's grey."""
    drawer = marker(style, fps=48)
    for index, level in enumerate([*range(40, 232, 4), *range(232, 40, -4)]):
        frame = flat(level)(640, 360, index)
        drawer.apply(frame, index)
        assert read_code(luma(frame)) == CODE, level


@pytest.mark.parametrize("style", FULL)
@pytest.mark.parametrize("code", [*EVERY_LETTER, "CGQD-MNWV", "GCDQ-NMVW"])
def test_every_letter_is_told_from_every_other(style: MarkStyle, code: str) -> None:
    assert set("".join(EVERY_LETTER)) == {*_CODE_ALPHABET, "-"}
    (frame,) = marked(marker(style, code=code), "photograph", (640, 360), [0])
    assert read_code(luma(frame)) == code


@pytest.mark.parametrize("name", GROUNDS)
def test_nothing_is_read_where_there_is_no_code(name: str) -> None:
    assert read_code(luma(ground(name, 640, 360, 0))) is None
    (frame,) = marked(marker(code=""), name, (640, 360), [0])
    assert read_code(luma(frame)) is None


@pytest.mark.parametrize("name", ["white", "black", "grey", "photograph"])
def test_the_discreet_mark_is_found_by_one_who_looks_for_it_and_never_moves(name: str) -> None:
    size = (1920, 1080)
    drawer = marker("discreet", size)
    for frame in marked(drawer, name, size, [0, 5 * FPS]):
        assert read_code(luma(frame)) is None  # it does not catch the eye
        assert read_upwards(luma(frame), letter=26) == CODE
    assert drawer.code_at(0) == drawer.code_at(5 * FPS)


def read_upwards(seen: Frame, letter: float) -> str | None:
    """The code that runs up the right edge, for one who knows that it does."""
    return read_code(np.ascontiguousarray(np.rot90(seen[:, -80:], -1)), letter=letter)


@pytest.mark.parametrize("size", SMALL)
@pytest.mark.parametrize("name", ["white", "black", "grey", "photograph", *PHOTOGRAPHS])
def test_the_discreet_mark_of_a_small_picture_is_read_before_and_after_hard_compression(
    tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    codes, frames = [*EVERY_LETTER, CODE, "GCDQ-NMVW", "H7YT-WA9P"], list[Frame]()
    for code in codes:
        frames += marked(marker("discreet", size, code=code, fps=24), name, size, range(6))
    assert [read_upwards(luma(frame), letter=15) for frame in frames[5::6]] == codes
    seen = through_x264(tmp_path, frames, size[1])
    assert [read_upwards(frame, letter=15) for frame in seen[5::6]] == codes


def test_the_discreet_code_of_a_small_picture_goes_by_what_is_beneath_itself() -> None:
    drawer = marker("discreet", programme="Halflight preview")
    for name, code in ((30, 225), (225, 30)):
        frame = flat(name)(640, 360, 0)
        frame[: drawer.code_at(0)[1] + drawer.code_at(0)[3]] = code
        drawer.apply(frame, 0)
        assert read_upwards(luma(frame), letter=15) == CODE


@pytest.mark.parametrize("size", SMALL)
def test_the_discreet_mark_of_a_small_picture_keeps_the_programme_beside_the_code(
    size: tuple[int, int],
) -> None:
    rows, _ = changed(marker("discreet", size, programme="Halflight preview"), size, 0)
    code = marker("discreet", size, programme="Halflight preview").code_at(0)
    assert rows.max() > code[1] + code[3] + 100


def test_the_discreet_mark_is_faint() -> None:
    (frame,) = marked(marker("discreet"), "grey", (640, 360), [0])
    assert abs(luma(frame).astype(int) - 126).max() < 60
    (frame,) = marked(marker("plate"), "grey", (640, 360), [0])
    assert abs(luma(frame).astype(int) - 126).max() > 60


def inside(box: tuple[int, int, int, int], left: float, top: float, wide: float, high: float) -> bool:
    return (
        box[0] >= left and box[1] >= top and box[0] + box[2] <= left + wide and box[1] + box[3] <= top + high
    )


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("size", SIZES)
def test_no_crop_of_60_percent_is_without_the_code_in_the_first_four_seconds(
    size: tuple[int, int], key: bytes
) -> None:
    drawer = marker(size=size, key=key)
    boxes = {drawer.code_at(index) for index in range(4 * FPS)}
    assert len(boxes) == 2
    steps = np.linspace(0, 1, 11)
    for share, across, down in itertools.product(np.linspace(0.6, 1, 21), steps, steps):
        wide, high = size[0] * share, size[1] * 0.6 / share
        crop = (size[0] - wide) * across, (size[1] - high) * down, wide, high
        assert any(inside(box, *crop) for box in boxes), crop


def test_the_code_is_read_off_what_a_crop_leaves() -> None:
    frames = list(marked(marker(), "photograph", (640, 360), range(4 * FPS)))
    for left, top in itertools.product((0, 144), (0, 80)):
        crops = [luma(frame)[top : top + 280, left : left + 496] for frame in frames[:: FPS // 2]]
        assert CODE in {read_code(np.ascontiguousarray(crop), letter=15) for crop in crops}


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


@pytest.mark.parametrize("style", [*FULL, "discreet"])
@pytest.mark.parametrize("programme", ["Private View", "W" * 24, ""])
@pytest.mark.parametrize("size", SIZES)
def test_the_mark_keeps_off_the_captions_the_middle_and_the_edge(
    style: MarkStyle, programme: str, size: tuple[int, int]
) -> None:
    for key, seconds in itertools.product(KEYS[:2], (0, 4, 12)):
        rows, columns = changed(marker(style, size, key=key, programme=programme), size, seconds * FPS)
        down, across = rows / size[1], columns / size[0]
        captions = (down > CAPTIONS[1]) & (across > CAPTIONS[0]) & (across < CAPTIONS[2])
        middle = (abs(down - 0.5) < 0.1) & (abs(across - 0.5) < 0.4)
        assert not captions.any()
        assert not middle.any()
        assert rows.size > 0
        assert min(rows.min(), columns.min()) > 0
        assert rows.max() < size[1] - 1
        assert columns.max() < size[0] - 1


def test_places_are_opposite_each_other_and_held_for_three_to_five_seconds() -> None:
    for key in KEYS:
        drawer = marker(key=key)
        boxes = [(drawer.code_at(index), len(list(run))) for index, run in runs(drawer, 40 * FPS)]
        quarters = [(box[0] > 320, box[1] > 180) for box, _ in boxes]
        assert all(one != two for one, two in itertools.pairwise(quarters))
        opposite = zip(quarters[::2], quarters[1::2], strict=False)
        assert all(one[0] != two[0] and one[1] != two[1] for one, two in opposite)
        assert set(quarters[:4]) == set(itertools.product((False, True), repeat=2))
        assert all(3 <= frames / FPS <= 5.2 for _, frames in boxes[1:-1])


def runs(drawer: VisibleMarker, frames: int) -> Iterator[tuple[int, Iterable[int]]]:
    for _, run in itertools.groupby(range(frames), key=drawer.code_at):
        whole = list(run)
        yield whole[0], whole


def test_another_key_moves_it_another_way() -> None:
    ways = {tuple(marker(key=key).code_at(index) for index in range(0, 20 * FPS, FPS)) for key in KEYS}
    assert len(ways) == len(KEYS)


@pytest.mark.parametrize("style", FULL)
def test_the_same_frames_get_the_same_bytes(style: MarkStyle) -> None:
    one, two = (list(marked(marker(style), "noise", (640, 360), range(2 * FPS))) for _ in range(2))
    assert all(np.array_equal(first, second) for first, second in zip(one, two, strict=True))


@pytest.mark.parametrize("style", FULL)
def test_the_mark_stays_as_it_is_while_the_picture_flickers(style: MarkStyle) -> None:
    drawer, inks = marker(style, fps=24), []
    left, top, wide, high = drawer.code_at(0)
    for index in range(24):
        frame = flat(90 if index % 2 else 50)(640, 360, index)
        drawer.apply(frame, index)
        inks.append(int(frame[top : top + high, left : left + wide].max()))
    assert max(abs(one - two) for one, two in itertools.pairwise(inks)) <= 3


@pytest.mark.parametrize("style", [*FULL, "discreet"])
def test_colour_fades_under_the_mark_and_nowhere_else(style: MarkStyle) -> None:
    plain = flat(126, 180)(640, 360, 0)
    frame = plain.copy()
    marker(style).apply(frame, 0)
    colour = frame[360:].reshape(2, 180, 320)
    assert colour.min() >= 128
    assert colour.max() == 180
    touched = (colour[0] != 180).repeat(2, axis=0).repeat(2, axis=1)
    assert np.array_equal(colour[0], colour[1])
    assert not (~touched & (abs(luma(frame).astype(int) - 126) > 12)).any()


def test_a_narrow_picture_keeps_the_code_and_drops_the_programme() -> None:
    with_name, without = (marker(size=(160, 90), programme=name) for name in ("Private View", ""))
    one, two = (next(iter(marked(drawer, "noise", (160, 90), [0]))) for drawer in (with_name, without))
    assert np.array_equal(one, two)


def test_a_mark_that_says_nothing_changes_nothing() -> None:
    for style in (*FULL, "discreet"):
        frame = ground("noise", 640, 360, 0).copy()
        marker(style, code="", programme="").apply(frame, 0)
        assert np.array_equal(frame, ground("noise", 640, 360, 0))


def test_refuses_a_frame_of_another_size() -> None:
    with pytest.raises(ValueError, match="640 x 360"):
        marker().apply(np.zeros((360, 640), np.uint8), 0)
    with pytest.raises(ValueError, match="even"):
        marker(size=(641, 360))

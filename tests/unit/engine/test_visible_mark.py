"""The moving mark can be read off every frame, on any picture, and is the same for the same frames."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from core.ids import _CODE_ALPHABET
from generation.spec import MarkStyle
from tests.rig.mark_reader import read_code
from tests.rig.visible import (
    CODE,
    EVERY_LETTER,
    FPS,
    FULL,
    GROUNDS,
    Frame,
    flat,
    ground,
    luma,
    marked,
    marker,
    through_x264,
)


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

"""The mark of public clips whose programme wishes it so: faint, always in one place, and read by who looks for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.rig.mark_reader import read_code
from tests.rig.visible import (
    CODE,
    EVERY_LETTER,
    FPS,
    PHOTOGRAPHS,
    SMALL,
    Frame,
    changed,
    flat,
    luma,
    marked,
    marker,
    through_x264,
)


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

"""The code can be read back off the delivered video, by a reader that knows only face and alphabet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pictures

from core.ids import _CODE_ALPHABET, clip_code
from generation.media import mark as marks
from generation.spec import CopyMark, Image, VisibleMark
from tests.rig.clips import frames_of, make_clip, noise, plain
from tests.rig.mark_reader import read_code

Luma: TypeAlias = NDArray[np.uint8]
GROUNDS: dict[str, Callable[[int, int], list[Image]]] = {
    "white": lambda width, height: plain(width, height, 4, (255, 255, 255)),
    "black": lambda width, height: plain(width, height, 4, (0, 0, 0)),
    "noise": lambda width, height: noise(width, height, 4),
}


def middle(folder: Path, images: list[Image], mark: VisibleMark | None, size: tuple[int, int]) -> Luma:
    """The middle frame of the encoded clip, brought to 640 x 360."""
    files = make_clip(folder, images, size=size, fps=4, mark=CopyMark(mark) if mark else None)
    return luma(frames_of(files.mp4)[2], (640, 360))


def luma(frame: Image, size: tuple[int, int] | None = None) -> Luma:
    picture = Pictures.fromarray(frame).convert("L")
    return np.asarray(picture.resize(size, Pictures.Resampling.BOX) if size else picture, np.uint8)


@pytest.mark.parametrize("size", [(640, 360), (1280, 720)], ids=["360p", "720p seen at 360p"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("code", ["34679ACD", "EFGHJKMN", "PQRTUVWX", "Y3K7QM4E"])
def test_the_code_is_read_back(tmp_path: Path, ground: str, size: tuple[int, int], code: str) -> None:
    """The four codes hold every letter of the alphabet."""
    written = f"{code[:4]}-{code[4:]}"
    frame = middle(tmp_path, GROUNDS[ground](*size), VisibleMark("Private View", written), size)
    assert read_code(frame) == written


def test_the_four_codes_hold_the_whole_alphabet() -> None:
    assert set("34679ACDEFGHJKMNPQRTUVWXY3K7QM4E") == set(_CODE_ALPHABET)


@pytest.mark.parametrize("programme", ["", "Ä", "Spring Programme of 2026"])
def test_the_code_is_read_back_behind_any_programme(tmp_path: Path, programme: str) -> None:
    written = clip_code()
    frame = middle(tmp_path, GROUNDS["noise"](640, 360), VisibleMark(programme, written), (640, 360))
    assert read_code(frame) == written


@pytest.mark.parametrize("ground", GROUNDS)
def test_nothing_is_read_where_there_is_no_mark(tmp_path: Path, ground: str) -> None:
    assert read_code(middle(tmp_path, GROUNDS[ground](640, 360), None, (640, 360))) is None


def test_nothing_is_read_from_a_mark_without_a_code(tmp_path: Path) -> None:
    mark = VisibleMark("Private View", "")
    assert read_code(middle(tmp_path, GROUNDS["white"](640, 360), mark, (640, 360))) is None


def test_codes_of_one_letter_less_alike_are_told_apart(tmp_path: Path) -> None:
    """The reader says what is there, not what it is hoped to find."""
    for written in ("CGQD-MNWV", "GCDQ-NMVW"):
        frame = middle(tmp_path, GROUNDS["noise"](640, 360), VisibleMark("Private View", written), (640, 360))
        assert read_code(frame) == written


def test_the_mark_is_in_every_frame_from_first_to_last(tmp_path: Path) -> None:
    mark = CopyMark(VisibleMark("Private View", "K7QM-4XPD"))
    clip = make_clip(tmp_path, noise(160, 90, 4), fps=4, mark=mark)
    assert [read_code(luma(frame)) for frame in frames_of(clip.mp4)] == ["K7QM-4XPD"] * 4


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (720, 1280), (360, 640), (1024, 1024), (364, 360)])
def test_the_longest_mark_stays_inside_the_frame(size: tuple[int, int]) -> None:
    longest = marks.draw(VisibleMark("W" * 24, "WWWW-WWWW"), width=size[0], height=size[1])
    margin = marks.margin(*size)
    assert longest.width + 2 * margin <= size[0] + margin
    assert longest.width % 2 == longest.height % 2 == margin % 2 == 0


def test_a_narrow_frame_keeps_the_code_and_drops_the_programme() -> None:
    both = marks.draw(VisibleMark("Private View", "K7QM-4XPD"), width=160, height=90)
    code_only = marks.draw(VisibleMark("", "K7QM-4XPD"), width=160, height=90)
    assert both.size == code_only.size
    assert both.tobytes() == code_only.tobytes()

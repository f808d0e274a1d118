"""Where the moving mark stands: off the captions and the middle, and no crop that keeps the picture is without it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from generation.media.visible import CAPTIONS, VisibleMarker
from generation.spec import MarkStyle
from tests.rig.mark_reader import read_code
from tests.rig.visible import (
    CODE,
    FPS,
    FULL,
    KEYS,
    SIZES,
    changed,
    luma,
    marked,
    marker,
)


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

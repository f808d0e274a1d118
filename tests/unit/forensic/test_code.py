"""What a key makes: fixed for ever, different for every key, and nothing without it."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest

from generation.forensic.code import NUMBERS, SHIFTS, Code, words_of
from generation.forensic.embed import Embedder
from generation.forensic.reed_solomon import INFORMATION_SETS, SYMBOLS, completed
from tests.rig.marked import moving

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def code() -> Code:
    return Code(KEY)


def test_the_same_key_makes_the_same_marks_for_years(code: Code) -> None:
    """Pinned: another release of a library must not change what old clips carry."""
    assert code.codeword(123456789).hex() == "2ec76e3f3088bd3e"
    rounded = np.rint(code.tile(123456789) * 100).astype(np.int16)
    assert hashlib.sha256(rounded.tobytes()).hexdigest()[:16] == "5ea9d1ab78d2d123"
    assert [code.shift("K7QM-2XPD", slot) for slot in range(3)] == [(108, 0), (116, 74), (100, 40)]


def test_every_number_has_a_word_of_its_own_and_comes_back(code: Code) -> None:
    numbers = [0, 1, 2, 12345, NUMBERS - 1]
    words = words_of(map(code.codeword, numbers))
    assert [code.number(word) for word in words] == numbers
    assert len({word.tobytes() for word in words}) == len(numbers)
    with pytest.raises(ValueError, match="32 bits"):
        code.codeword(NUMBERS)


def test_two_words_share_three_symbols_at_most(code: Code) -> None:
    words = words_of(code.codeword(number) for number in range(3000))
    same = (words[:, None] == words[None]).sum(2)
    np.fill_diagonal(same, 0)
    assert same.max() <= 3


def test_any_four_symbols_give_the_other_four() -> None:
    data = np.random.default_rng(1).integers(0, 256, (50, 4)).astype(np.uint8)
    words = completed(data)
    assert words.shape == (50, SYMBOLS)
    for places, matrix in INFORMATION_SETS:
        assert (completed(words[:, list(places)], matrix) == words).all()


def test_another_key_makes_another_tile_and_other_words(code: Code) -> None:
    other = Code(bytes(32))
    assert abs(float((code.tile(5) * other.tile(5)).mean())) < 0.05
    assert code.codeword(5) != other.codeword(5)


def test_the_tile_moves_each_half_second_and_comes_round(code: Code) -> None:
    places = [code.shift("K7QM-2XPD", slot) for slot in range(2 * SHIFTS)]
    assert places[:SHIFTS] == places[SHIFTS:]
    assert len(set(places)) == SHIFTS
    assert {code.shift(f"clip {number}", 0) for number in range(40)} != {places[0]}, (
        "clips begin at different places"
    )


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (512, 512), (854, 480), (360, 640)])
def test_changes_little_and_never_jumps(code: Code, width: int, height: int) -> None:
    """Levels of luma: at most 14 anywhere, from frame to frame less than three quarters of the mark's own strength."""
    embedder = Embedder(code, 77, clip="K7QM-2XPD", width=width, height=height, fps=24)
    ground = next(moving(width, height, 1))
    marks = []
    for index in range(26):
        luma = ground.copy()
        embedder.apply(luma, index)
        marks.append(luma.astype(np.int16) - ground)
    strength = float(np.mean([np.square(mark).mean() for mark in marks]) ** 0.5)
    steps = [float(np.square(after - before).mean() ** 0.5) for before, after in pairwise(marks)]
    assert 10 * np.log10(255**2 / strength**2) > 42
    assert max(abs(mark).max() for mark in marks) <= 14
    assert max(steps) < 0.75 * strength
    assert np.abs(np.mean(marks)) < 0.1, "the picture gets neither lighter nor darker"


def test_black_stays_black_and_white_white(code: Code) -> None:
    embedder = Embedder(code, 1, clip="K7QM-2XPD", width=640, height=360, fps=24)
    for level in (0, 255):
        luma = np.full((360, 640), level, np.uint8)
        embedder.apply(luma, 0)
        assert np.abs(luma.astype(int) - level).max() <= 6

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Invalid
from generation.models import ModelVariant
from generation.rules import (
    LARGEST_SEED,
    LONGEST_PROMPT,
    MOST_TAKES,
    Order,
    by_area,
    can_order,
    check_order,
    own_part,
    seeds,
)
from generation.states import Relation

VARIANT = ModelVariant(
    slug="turbo-1",
    name="Turbo",
    sizes=["1280x720", "640x360"],
    lengths=[4, 2, 6],
    rates=[24, 30],
    steps=8,
)
GOOD: dict[str, Any] = {"prompt": "a red boat"}


@pytest.mark.parametrize(
    "order",
    [
        Order(prompt="a"),
        Order(prompt="x" * LONGEST_PROMPT),
        Order(prompt="two\nlines\tand a tab"),
        Order(prompt="ein grünes Boot 🚢"),
        Order(**GOOD, seconds=2, size="640x360", seed=0),
        Order(**GOOD, seed=LARGEST_SEED),
        Order(**GOOD, fps=30, steps=8),
        Order(**GOOD, takes=MOST_TAKES),
        Order(**GOOD, source="video_x", relation=Relation.REMIX),
    ],
)
def test_accepts_what_the_variant_can_render(order: Order) -> None:
    check_order(order, VARIANT)
    assert can_order(order, VARIANT)


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (Order(prompt=""), "prompt"),
        (Order(prompt=" \n "), "prompt"),
        (Order(prompt="x" * (LONGEST_PROMPT + 1)), "prompt"),
        (Order(prompt="nul\0"), "prompt"),
        (Order(prompt="bell\a"), "prompt"),
        (Order(prompt="half a pair \ud800"), "prompt"),
        (Order(**GOOD, seconds=0), "seconds"),
        (Order(**GOOD, seconds=3), "seconds"),
        (Order(**GOOD, seconds=10_000), "seconds"),
        (Order(**GOOD, seconds=-4), "seconds"),
        (Order(**GOOD, size="640x361"), "size"),
        (Order(**GOOD, size="x" * 10_000), "size"),
        (Order(**GOOD, fps=25), "fps"),
        (Order(**GOOD, steps=9), "steps"),
        (Order(**GOOD, seed=-1), "seed"),
        (Order(**GOOD, seed=LARGEST_SEED + 1), "seed"),
        (Order(**GOOD, takes=0), "takes"),
        (Order(**GOOD, takes=MOST_TAKES + 1), "takes"),
        (Order(**GOOD, source="video_x"), "source"),
        (Order(**GOOD, relation=Relation.REMIX), "source"),
    ],
)
def test_names_the_field_that_cannot_be_used(order: Order, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_order(order, VARIANT)
    assert list(refusal.value.fields) == [field]
    assert len(refusal.value.sentence) < 200
    assert not can_order(order, VARIANT)


def test_names_every_bad_field_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        check_order(Order(prompt="", seconds=3, size="1x1", seed=-1), VARIANT)
    assert set(refusal.value.fields) == {"prompt", "seconds", "size", "seed"}


@pytest.mark.parametrize(
    ("seconds", "nearest"),
    [
        (3, "The nearest are 2 and 4 seconds"),
        (5, "The nearest are 4 and 6 seconds"),
        (1, "The nearest is 2 seconds"),
        (7, "The nearest is 6 seconds"),
    ],
)
def test_refuses_a_length_with_the_nearest_ones_first(seconds: int, nearest: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_order(Order(**GOOD, seconds=seconds), VARIANT)
    assert refusal.value.sentence == f"{nearest}: Turbo makes clips of 2, 4, 6 seconds, not {seconds}."


def test_sizes_go_from_small_to_large_and_wide_before_tall() -> None:
    sizes = ["1280x720", "1920x1080", "720x1280", "640x360", "960x540"]
    assert sorted(sizes, key=by_area) == ["640x360", "960x540", "1280x720", "720x1280", "1920x1080"]


def test_seeds_follow_each_other_and_begin_anew_after_the_largest() -> None:
    assert seeds(5, 3) == [5, 6, 7]
    assert seeds(LARGEST_SEED, 2) == [LARGEST_SEED, 0]
    assert len(set(seeds(LARGEST_SEED - 7, MOST_TAKES))) == MOST_TAKES


@pytest.mark.parametrize(
    ("whole", "style", "own"),
    [
        ("text", "", "text"),
        ("photograph, text", "photograph", "text"),
        ("photograph, text, blur", " photograph, ", "text, blur"),
        ("photograph", "photograph", ""),
        ("photographs", "photograph", "photographs"),
        ("text", "photograph", "text"),
        ("", "photograph", ""),
    ],
)
def test_what_an_order_wanted_left_out_is_told_from_what_its_style_does(
    whole: str, style: str, own: str
) -> None:
    assert own_part(whole, style) == own

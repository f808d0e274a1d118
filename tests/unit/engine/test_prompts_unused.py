"""No word of a prompt is dropped in silence: each is in the sentence that is rendered, or among those not used."""

from __future__ import annotations

import json
import random
import re
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from generation.backends.diffusers.prompts import SmallWorld

VOCABULARY: Final = Path("generation/backends/diffusers/checkpoint/vocabulary.json")
ATTRIBUTES: Final[dict[str, dict[str, dict[str, list[str]]]]] = json.loads(VOCABULARY.read_text())[
    "attributes"
]
# Each wording of an attribute, what it means, and how it is written.
WORDINGS: Final = {
    attribute: [
        (phrase, value, phrase if phrase in entry["says"] else entry["says"][0])
        for value, entry in values.items()
        for phrase in entry["says"] + entry["means"]
    ]
    for attribute, values in ATTRIBUTES.items()
}


@pytest.fixture(scope="module")
def world() -> SmallWorld:
    return SmallWorld(VOCABULARY)


@pytest.mark.parametrize(
    ("prompt", "ignored"),
    [
        ("a boat over the sea at night", ("at night",)),
        ("a red and blue boat", ("red",)),
        ("a boat and a bird", ("bird",)),
        ("a boat, at sunset", ("sunset",)),
        ("over a blue lake, a red boat", ("blue",)),
        ("a boat moves left and right, small, no, huge", ("right", "no", "huge")),
        ("a bird, a gramophone, a boat, a boat", ("gramophone", "boat")),
        ("a boat in the snow, at night, at night", ("at night",)),
    ],
)
def test_names_what_lost_against_another_word_of_its_kind(
    world: SmallWorld, prompt: str, ignored: tuple[str, ...]
) -> None:
    assert world.complete(prompt, 3).ignored == ignored


@pytest.mark.parametrize(
    "prompt",
    ["a scarlet ship, red as ruby", "a boat at sea, on the waves", "a fish sinking down", "a tiny wee kite"],
)
def test_says_nothing_of_words_that_mean_the_same(world: SmallWorld, prompt: str) -> None:
    assert not set(world.complete(prompt, 3).ignored) - {"as"}


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_of_any_two_words_of_a_kind_each_is_used_or_named(world: SmallWorld, attribute: str) -> None:
    for (one, means, written), (other, other_means, _) in product(WORDINGS[attribute], repeat=2):
        made = world.complete(f"{one} and {other}", 5)
        assert re.search(rf"\b{written}\b", made.prompt), (one, other, made)
        assert made.ignored == (() if means == other_means else (other,)), (one, other, made)


def test_every_word_of_any_prompt_is_used_or_named(world: SmallWorld) -> None:
    draw = random.Random(7)
    every = [(phrase, attribute, value) for attribute, all_ in WORDINGS.items() for phrase, value, _ in all_]
    for _ in range(3000):
        parts = draw.choices(every, k=draw.randint(1, 7))
        glue = draw.choices(
            [" and ", ", ", " with the ", " gramophone ", ", no ", " without a ", " but "], k=len(parts)
        )
        prompt = "".join(f"{join}{phrase}" for (phrase, _, _), join in zip(parts, glue, strict=True))
        made = world.complete(prompt, draw.randrange(100))
        told = set(" ".join((made.prompt, *made.ignored)).replace(",", "").split())
        for phrase, attribute, value in parts:
            wordings = {says for says, means, _ in WORDINGS[attribute] if means == value}
            used = any(re.search(rf"\b{says}\b", made.prompt) for says in wordings)
            assert used or set(phrase.split()) & told, (prompt, phrase, made)
        for word in {"gramophone", "no", "without"} & set(prompt.replace(",", "").split()):
            assert word in told, (prompt, word, made)


@pytest.mark.parametrize(
    ("prompt", "part", "ignored"),
    [
        ("no boat, a kite", " kite ", ("no boat",)),
        ("a kite without a big red boat over the sea", " kite ", ("without a big red boat",)),
        ("not a boat but a kite", " kite ", ("not a boat",)),
        ("neither boat nor bird, a kite", " kite ", ("neither boat", "nor bird")),
        ("no boat or a bird, a kite", " kite ", ("no boat or a bird",)),
        ("no boat and a kite", " kite ", ("no boat",)),
        ("there isn't a boat - only a kite", " kite ", ("isn't a boat",)),
        ("there isn\u2019t a boat (a kite)", " kite ", ("isn't a boat",)),
        ("a kite not at night at sea", "at sea", ("not at night",)),
        ("a kite, not drifting to the left; rising", "rising", ("not drifting to the left",)),
        ("no wooden boat. A kite", " kite ", ("no wooden boat",)),
        ("no boat near the top, a kite", "near the top", ("no boat",)),
        ("instead of a boat, a kite", " kite ", ("instead of a boat",)),
        ("not only a boat", " boat ", ("not",)),
        ("a star, not moving, no", "star not moving", ("no",)),
        ("no no no", "", ("no",)),
        ("never mind the boat, a kite", " kite ", ("never mind the boat",)),
        ("a kite rather than a boat", " kite ", ("rather than a boat",)),
        ("a kite and nothing red", " kite ", ("nothing red",)),
        ("nothing but a boat", " boat ", ()),
        ("a kite, dont show a boat", " kite ", ("dont show a boat",)),
    ],
)
def test_does_not_draw_what_the_prompt_denies(
    world: SmallWorld, prompt: str, part: str, ignored: tuple[str, ...]
) -> None:
    for seed in range(5):
        made = world.complete(prompt, seed)
        assert part in made.prompt
        assert made.ignored == ignored


@pytest.mark.parametrize(
    ("prompt", "ignored"),
    [
        ("a boat, anything but red", ("anything but red",)),
        ("a boat in any colour but red", ("any colour but red",)),
        ("a boat of any colour except red", ("any", "colour", "except red")),
        ("a non-red boat", ("non red",)),
        ("a boat in a colour other than red", ("colour", "other than red")),
        ("everything but a red, boat", ("everything but a red",)),
        ("a boat, avoid red", ("avoid red",)),
    ],
)
def test_a_colour_that_is_ruled_out_is_never_drawn_and_the_rest_is(
    world: SmallWorld, prompt: str, ignored: tuple[str, ...]
) -> None:
    for seed in range(40):
        made = world.complete(prompt, seed)
        assert " boat " in made.prompt
        assert "red" not in made.prompt.split(), made
        assert made.ignored == ignored


@pytest.mark.parametrize(
    ("prompt", "ignored"),
    [
        ("\U0001f6a4", ("\U0001f6a4",)),
        ("a red \u26f5\ufe0f at sea \u2192, small", ("\u26f5\ufe0f", "\u2192")),
        ("\u201ca boat\u201d + a #sea * ~ 'big'", ()),
    ],
)
def test_symbols_that_are_not_used_are_named(
    world: SmallWorld, prompt: str, ignored: tuple[str, ...]
) -> None:
    assert world.complete(prompt, 3).ignored == ignored


def test_what_the_negative_prompt_names_is_not_drawn_for_what_is_left_open(world: SmallWorld) -> None:
    for attribute, wordings in WORDINGS.items():
        for phrase, value, _ in wordings:
            drawn = ATTRIBUTES[attribute][value]["says"][0]
            for seed in range(6):
                made = world.complete("", seed, "", f"blurry, {phrase}, text").prompt
                assert not re.search(rf"\b{drawn}\b", made), (phrase, made)


def test_what_the_prompt_asks_for_comes_whatever_the_negative_prompt_says(world: SmallWorld) -> None:
    for seed in range(9):
        assert " red boat " in world.complete("a red boat", seed, "", "red, boat").prompt


def test_a_negative_prompt_that_leaves_nothing_is_not_followed(world: SmallWorld) -> None:
    colours = ", ".join(ATTRIBUTES["colour"])

    made = world.complete("a boat", 3, "", colours)

    assert set(made.prompt.split()) & set(ATTRIBUTES["colour"])


def test_a_remix_does_not_keep_what_its_negative_prompt_names(world: SmallWorld) -> None:
    earlier = world.complete("a red boat at sea", 3).prompt

    for seed in range(9):
        made = world.complete("", seed, earlier, "red").prompt
        assert " boat " in made
        assert "red" not in made.split()


def test_neither_the_seed_nor_the_earlier_clip_brings_back_what_the_prompt_denies(world: SmallWorld) -> None:
    earlier = "a big teal whale circling, low down, at night"
    for seed in range(60):
        assert " boat " not in world.complete("no boat", seed).prompt
        made = world.complete("no whale, not at night", seed, earlier)
        assert "whale" not in made.prompt
        assert "at night" not in made.prompt
        assert made.prompt.startswith("a big teal")


def test_whoever_denies_everything_still_gets_a_clip(world: SmallWorld) -> None:
    made = world.complete("no small, no medium, no big", 3)
    assert made.ignored == ("no small", "no medium", "no big")
    assert any(size in made.prompt for size in ("small", "medium", "big"))


def test_a_denial_reaches_a_few_words_far_and_no_further(world: SmallWorld) -> None:
    made = world.complete("not quite so very unlike some small old boat rising red", 3)
    assert made.ignored[0].startswith("not quite so")
    assert max(map(len, made.ignored)) < 80

"""What the built-in model's small world reads from a prompt, and what the seed adds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from generation.backends.diffusers.prompts import SmallWorld

CHECKPOINT = Path("generation/backends/diffusers/checkpoint")
VOCABULARY = CHECKPOINT / "vocabulary.json"


@pytest.fixture(scope="module")
def world() -> SmallWorld:
    return SmallWorld(VOCABULARY)


@pytest.mark.parametrize(
    ("prompt", "part"),
    [
        (
            "A small crimson sailboat drifts left at sea, low down",
            "a small crimson sailboat drifts left, low down, at sea",
        ),
        ("over a blue lake, a red boat", "red boat"),
        ("the moon under the stars", "moon"),
        ("the moon under the stars", "under the stars"),
        ("a circle, circling", "circle circling"),
        ("a fish and a boat", "fish"),
        ("a kite over golden dunes", "over golden dunes"),
        ("EMERALD LEAF", "emerald leaf"),
        ("an enormous leaf at the bottom", "a big"),
        ("an enormous leaf at the bottom", ", low down,"),
        ("three ships approaching through the snow", "boat growing, "),
        ("three ships approaching through the snow", ", in the snow"),
    ],
)
def test_keeps_what_the_prompt_names(world: SmallWorld, prompt: str, part: str) -> None:
    for seed in range(20):
        assert part in world.complete(prompt, seed).prompt


def test_what_the_prompt_leaves_open_is_as_it_was_before(world: SmallWorld) -> None:
    earlier = "a big teal whale circling, low down, under water"
    assert world.complete("it rises", 3, earlier).prompt == "a big teal whale rises, low down, under water"
    assert world.complete("", 3, earlier).prompt == earlier
    assert world.complete("it sings", 3, earlier).ignored == ("sings",)


def test_a_scene_does_not_lend_its_colour_to_the_subject(world: SmallWorld) -> None:
    prompt = "a small kite over golden dunes"
    colours = {world.complete(prompt, seed).prompt.split()[2] for seed in range(40)}
    assert len(colours) > 4


@pytest.mark.parametrize("prompt", ["", "a dog in a car", "星 🌟", "!!!", "word " * 6000])
def test_always_gives_one_whole_sentence(world: SmallWorld, prompt: str) -> None:
    said = json.loads(VOCABULARY.read_text())["attributes"]
    for seed in range(10):
        sentence = world.complete(prompt, seed).prompt
        for attribute, values in said.items():
            phrases = [phrase for value in values.values() for phrase in value["says"]]
            assert any(phrase in sentence for phrase in phrases), attribute
        assert world.complete(sentence, seed + 1).prompt == sentence


@pytest.mark.parametrize(
    ("prompt", "ignored"),
    [
        ("a red boat drifting left at sea", ()),
        ("a video of the moon, rising over the city", ()),
        ("A neon Dragon eats a red boat; the dragon sings", ("neon", "dragon", "eats", "sings")),
        ("", ()),
    ],
)
def test_names_the_words_that_it_has_no_meaning_for(
    world: SmallWorld, prompt: str, ignored: tuple[str, ...]
) -> None:
    assert world.complete(prompt, 3).ignored == ignored


def test_same_prompt_and_seed_give_the_same_sentence(world: SmallWorld) -> None:
    assert world.complete("rising", 2**62) == SmallWorld(VOCABULARY).complete("rising", 2**62)


def test_naming_one_thing_leaves_the_seed_s_other_choices(world: SmallWorld) -> None:
    open_sentence = world.complete("a boat", 5).prompt.split(" boat ")[1]
    assert world.complete("a tiny purple boat", 5).prompt == f"a tiny purple boat {open_sentence}"


def test_seeds_spread_over_all_values(world: SmallWorld) -> None:
    for prompt, open_values in (
        ("a small red boat at sea, low down", 8),
        ("a red boat rising at sea, low down", 3),
        ("a small red boat rising at sea", 5),
    ):
        found = Counter(world.complete(prompt, seed) for seed in range(400))
        assert len(found) == open_values
        assert min(found.values()) > 20


@pytest.mark.parametrize("first", [0, 1, 2**31 - 4, 2**62, 987_654_321])
def test_takes_of_one_request_differ_in_what_the_prompt_leaves_open(world: SmallWorld, first: int) -> None:
    for prompt, least in (
        ("a red boat rising at sea", 8),
        ("a red boat, big", 8),
        ("a boat rising, low down, at night", 6),
        ("a small boat at sea, low down", 6),
    ):
        assert len({world.complete(prompt, first + take).prompt for take in range(8)}) >= least


def test_does_not_choose_a_colour_that_the_scene_swallows(world: SmallWorld) -> None:
    assert not any(
        "white" in world.complete("a boat in the snow", seed).prompt.split()[:3] for seed in range(200)
    )
    assert "white boat" in world.complete("a white boat in the snow", 1).prompt


def test_every_wording_that_is_written_is_known_to_the_tokenizer() -> None:
    known = set(json.loads((CHECKPOINT / "tokenizer" / "tokenizer.json").read_text())["model"]["vocab"])
    for values in json.loads(VOCABULARY.read_text())["attributes"].values():
        for value in values.values():
            for phrase in value["says"]:
                assert set(phrase.split()) <= known, phrase

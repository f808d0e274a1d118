"""The scorer's reader follows what it should; and the scorer counts what it read, of prompts that nobody trained on."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import pytest
import torch

from generation.backends.diffusers.training import asking, crispness, scorer, world
from generation.backends.diffusers.training.drawing.clip import cells, draw_clip
from generation.backends.diffusers.training.drawing.paths import path
from generation.backends.diffusers.training.drawing.scenes import Mood, mood
from generation.backends.diffusers.training.reader import (
    CELL,
    CUT,
    Reader,
    Track,
    Ways,
    cut_out,
    follow,
    load_reader,
)
from generation.backends.diffusers.training.spoil import spoil
from generation.backends.diffusers.training.words import ATTRIBUTES, MAIN, MANNER, PHRASES, VALUES
from generation.backends.diffusers.training.world import Facts


def track_of(subject: str, motion: str) -> Track:
    masks = draw_clip(Facts("paper", subject, "blue", motion), Mood(0.0, 0.5))[1]
    return follow(torch.from_numpy(cells(masks, CELL)))


@pytest.mark.parametrize("motion", VALUES["motion"])
def test_follows_the_subject_along_its_path(motion: str) -> None:
    track, way = track_of("circle", motion), path(Facts("paper", "circle", "blue", motion))
    assert torch.allclose(track.x, torch.from_numpy(way.x), atol=3)
    assert torch.allclose(track.y, torch.from_numpy(way.y), atol=3)
    assert torch.allclose(track.radius, torch.from_numpy(way.radius) * 0.82, atol=3)


def test_is_not_led_astray_by_a_faint_or_distant_blob() -> None:
    masks = torch.from_numpy(cells(draw_clip(Facts("sea", "star", "red", "left"), Mood(0, 0))[1], CELL))
    disturbed = masks.clone()
    disturbed[:, :2, :] = disturbed[:, :2, :].clamp(min=0.25)
    disturbed[8:, 22:24, :3] = 1.0
    assert torch.allclose(follow(disturbed).x, follow(masks).x, atol=1)


def test_cuts_out_the_subject_whole_and_in_the_middle() -> None:
    drawn, masks = draw_clip(Facts("night", "circle", "yellow", "circle"), Mood(0.0, 0.5))
    frames = torch.from_numpy(drawn).permute(0, 3, 1, 2)
    cuts = cut_out(frames, follow(torch.from_numpy(cells(masks, CELL))))
    assert cuts.shape == (16, 3, CUT, CUT)
    assert (cuts[:, 0, 13:19, 13:19] > 0.7).all()  # yellow on dark blue
    assert (cuts[:, 0, :, :3].mean((1, 2)) < 0.5).all()


def _on_path(facts: Facts) -> Track:
    x, y, radius = (torch.from_numpy(values) for values in path(facts))
    return Track(x, y, radius, area=radius)


@pytest.fixture(scope="module")
def ways() -> Ways:
    rng = random.Random(1)
    facts = [
        Facts("paper", rng.choice(VALUES["subject"]), "blue", *rest)
        for rest in product(*(VALUES[name] for name in ("motion", "size", "place")))
        for _ in range(2)
    ]
    tracks = [follow(torch.from_numpy(cells(draw_clip(one, Mood(0.0, 0.5))[1], CELL))) for one in facts]
    paths = [_on_path(one) for one in facts]
    found = Ways()
    found.fit(tracks, paths, torch.tensor([one.index() for one in facts]))
    return found


@pytest.mark.parametrize("motion", VALUES["motion"])
def test_reads_motion_size_and_place_from_the_track(ways: Ways, motion: str) -> None:
    for subject, size, place in product(("star", "boat"), ("small", "big"), ("centre", "left")):
        masks = draw_clip(Facts("paper", subject, "red", motion, size, place), Mood(0.0, 0.5))[1]
        read = ways.read(follow(torch.from_numpy(cells(masks, CELL))), VALUES["subject"].index(subject))
        assert read["motion"] == motion
        facts = Facts("paper", subject, "red", motion, size, place)
        assert scorer._right(facts, read, "size")
        assert scorer._right(facts, read, "place")


def test_spoils_pictures_by_the_seed_and_within_their_range() -> None:
    frames = torch.from_numpy(draw_clip(Facts("city", "bird", "pink", "up"), Mood(0.1, 0.2))[0]).permute(
        0, 3, 1, 2
    )
    once, again, other = (spoil(frames, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert once.shape == frames.shape
    assert 0 <= once.min() <= once.max() <= 1
    assert 0.01 < (once - frames).abs().mean() < 0.15


def test_reads_no_subject_where_none_is_seen() -> None:
    reader = Reader().eval()
    last = reader.places.mask[1]
    assert isinstance(last, torch.nn.Conv2d)
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(-9.0)  # type: ignore[union-attr]
    read = reader.read(torch.rand(16, 3, 96, 160))
    assert read["scene"] in VALUES["scene"]
    assert all(read[name] is None for name in ("subject", "colour", "motion", "size", "place"))


def test_a_saved_reader_reads_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    reader = Reader().eval()
    reader.save(tmp_path / "reader.pt")
    again = load_reader(tmp_path / "reader.pt")
    rng = random.Random(3)
    for _ in range(4):
        frames = torch.from_numpy(draw_clip(world.sample(rng), mood(rng))[0]).permute(0, 3, 1, 2)
        assert again.read(frames) == reader.read(frames)


def test_asks_for_each_held_out_combination_before_any_twice() -> None:
    every = {(one.scene, one.subject, one.colour, one.motion) for one in world.every_held_out()}
    asked = asking.held_out(len(every), seed=1)
    assert {
        (one.facts.scene, one.facts.subject, one.facts.colour, one.facts.motion) for one in asked
    } == every
    assert asked != asking.held_out(len(every), seed=2)
    assert asked == asking.held_out(len(every), seed=1)


def test_asks_in_words_that_the_completed_sentence_keeps_the_meaning_of() -> None:
    says = {
        name: {phrase: value for value, all_of in PHRASES[name].items() for phrase in all_of}
        for name in MANNER
    }
    for one in asking.held_out(200, seed=3):
        assert any(f" {phrase} " in one.completed for phrase in PHRASES["subject"][one.facts.subject])
        for name in set(one.named) & set(MANNER) - {"pace"}:
            said = {
                value
                for phrase, value in says[name].items()
                if f"{phrase} " in one.completed.replace(",", " ")
            }
            assert getattr(one.facts, name) in said, (one.prompt, one.completed)


def test_leaves_some_of_the_main_attributes_open_when_asked() -> None:
    for one in asking.held_out(50, seed=3, leave=True):
        assert 1 <= len(set(MAIN) - set(one.named)) <= 3


def test_counts_a_clip_only_when_all_that_is_named_is_right() -> None:
    facts = [Facts("sea", "star", "red", "left"), Facts("snow", "kite", "blue", "up", "big")]
    seen: list[dict[str, str | None]] = [
        {"scene": "sea", "subject": "star", "colour": "red", "motion": "left"},
        {"scene": "snow", "subject": "kite", "colour": None, "motion": "down", "size": "big"},
    ]
    shares = scorer._shares(facts, [MAIN, ("scene", "subject", "size")], seen)
    assert shares["clips"] == 2
    assert (shares["scene"], shares["subject"], shares["colour"], shares["size"]) == (100, 100, 100, 100)
    assert (shares["all_main"], shares["all"]) == (100, 100)
    shares = scorer._shares(facts, [MAIN, MAIN], seen)
    assert (shares["colour"], shares["motion"], shares["all_main"]) == (50, 50, 50)


def test_a_place_that_a_big_circling_subject_cannot_keep_is_not_asked_for() -> None:
    facts = Facts("sea", "star", "red", "circle", "big", "high")
    assert scorer._right(facts, {"place": "centre"}, "place")
    assert not scorer._right(facts, {"place": "left"}, "place")


def test_a_blurred_edge_is_found_and_a_clean_clip_is_not_blamed() -> None:
    facts = Facts("meadow", "star", "red", "right", "big", "left")
    clip = torch.from_numpy(draw_clip(facts, Mood(0.2, 0.3))[0]).permute(0, 3, 1, 2)
    truth = crispness.nearest_truth(clip, facts)
    assert crispness.ring_error(clip, truth) < 0.01
    blurred = torch.nn.functional.avg_pool2d(clip, 5, 1, 2)
    assert crispness.ring_error(blurred, truth) > 0.04


def test_asks_in_full_in_the_product_s_own_words() -> None:
    for one in asking.in_full(20, 3):
        assert all(PHRASES[name][getattr(one.facts, name)][0] in one.completed for name in ATTRIBUTES)


def test_asks_with_many_seeds_which_choose_what_is_left_open() -> None:
    asked = asking.with_many_seeds(2, 8, 1)
    assert len(asked) == 16
    for group in (asked[:8], asked[8:]):
        assert len({one.prompt for one in group}) == 1
        assert len({one.completed for one in group}) > 3

"""The scorer's reader follows what it should; and the scorer counts what it read, of prompts that nobody trained on."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import pytest
import torch

from generation.backends.diffusers.training import scorer, world
from generation.backends.diffusers.training.drawing.clip import cells, draw_clip
from generation.backends.diffusers.training.drawing.paths import path
from generation.backends.diffusers.training.drawing.scenes import Mood, mood
from generation.backends.diffusers.training.reader import (
    CELL,
    CUT,
    Motions,
    Reader,
    Track,
    as_row,
    cut_out,
    follow,
    load_reader,
)
from generation.backends.diffusers.training.spoil import spoil
from generation.backends.diffusers.training.words import ATTRIBUTES, VALUES
from generation.backends.diffusers.training.world import Facts


def track_of(subject: str, motion: str) -> Track:
    masks = draw_clip(Facts("paper", subject, "blue", motion), Mood(0.0, 0.5))[1]
    return follow(torch.from_numpy(cells(masks, CELL)))


@pytest.mark.parametrize("motion", VALUES["motion"])
def test_follows_the_subject_along_its_path(motion: str) -> None:
    track, way = track_of("circle", motion), path(motion)
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


def test_motions_learned_from_some_subjects_are_read_from_others() -> None:
    learned = list(product(("star", "boat", "kite", "leaf", "fish"), VALUES["motion"]))
    rows = torch.stack([as_row(track_of(subject, motion)) for subject, motion in learned])
    motions = Motions()
    motions.fit(rows, torch.tensor([VALUES["motion"].index(motion) for _, motion in learned]))
    for motion in VALUES["motion"]:
        best = motions(as_row(track_of("moon", motion))[None])[0].argmax()
        assert VALUES["motion"][int(best)] == motion


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
    assert read["subject"] is read["colour"] is read["motion"] is None


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
    every = world.every_held_out()
    asked = scorer._held_out(len(every) + 10, seed=1)
    assert set(asked[: len(every)]) == set(every)
    assert set(asked) == set(every)
    assert asked != scorer._held_out(len(every) + 10, seed=2)
    assert asked == scorer._held_out(len(every) + 10, seed=1)


def test_counts_a_clip_only_when_all_four_are_right() -> None:
    facts = [Facts("sea", "star", "red", "left"), Facts("snow", "kite", "blue", "up")]
    seen: list[dict[str, str | None]] = [
        {"scene": "sea", "subject": "star", "colour": "red", "motion": "left"},
        {"scene": "snow", "subject": "kite", "colour": None, "motion": "down"},
    ]
    shares = scorer._shares(facts, seen)
    assert shares == {"clips": 2, "scene": 100, "subject": 100, "colour": 50, "motion": 50, "all_four": 50}
    assert set(ATTRIBUTES) < set(shares)

"""The small world is drawn as it is described, and the training's parts do what the recipe counts on."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from generation.backends.diffusers.checkpoints import BUILTIN
from generation.backends.diffusers.training import codec, model, muon, report, text, world
from generation.backends.diffusers.training.drawing.clip import cells, draw_clip
from generation.backends.diffusers.training.drawing.paths import path
from generation.backends.diffusers.training.drawing.scenes import Mood, mood
from generation.backends.diffusers.training.words import PHRASES, VALUES, VOCABULARY_FILE
from generation.backends.diffusers.training.world import Facts

CALM = Mood(phase=0.0, light=0.5)


def test_checkpoint_carries_the_vocabulary_it_was_trained_with() -> None:
    shipped, trained = (
        json.loads(file.read_text()) for file in (BUILTIN / "vocabulary.json", VOCABULARY_FILE)
    )
    assert shipped == trained


def test_never_draws_or_says_a_combination_that_is_held_out() -> None:
    kept = set(world.every_held_out())
    assert 100 < len(kept) < 400
    rng = random.Random(0)
    assert kept.isdisjoint(world.sample(rng) for _ in range(5000))


def test_a_caption_names_what_it_says_it_names() -> None:
    rng = random.Random(1)
    for _ in range(300):
        facts = world.sample(rng)
        words, named = world.caption(facts, rng, omit=0.3)
        for attribute, value in named.items():
            said = any(phrase in words for phrase in PHRASES[attribute][getattr(facts, attribute)])
            assert said or value is None


@pytest.mark.parametrize("subject", VALUES["subject"])
def test_subject_is_where_the_path_says(subject: str) -> None:
    for motion in VALUES["motion"]:
        facts, way = Facts("paper", subject, "blue", motion), path(motion)
        _, masks = draw_clip(facts, CALM)
        for frame in (0, 8, 15):
            rows, columns = np.nonzero(masks[frame] > 0.5)
            assert abs(columns.mean() - way.x[frame]) < 12
            assert abs(rows.mean() - way.y[frame]) < 12


def test_seed_varies_every_scene() -> None:
    for scene in VALUES["scene"]:
        facts = Facts(scene, "star", "red", "stay")
        first, second = (draw_clip(facts, Mood(*numbers))[0] for numbers in ((-0.4, 0.1), (0.4, 0.9)))
        assert np.abs(first - second).mean() > 0.005, scene


def test_cells_share_out_the_mask() -> None:
    _, masks = draw_clip(Facts("sea", "circle", "red", "left"), CALM)
    assert cells(masks, 16).sum() * 256 == pytest.approx(masks.sum(), rel=1e-4)


def test_codec_is_the_affine_map_that_the_training_takes_it_for() -> None:
    rng = random.Random(2)
    drawn = [torch.from_numpy(draw_clip(world.sample(rng), mood(rng))[0]) for _ in range(6)]
    clips = torch.stack(drawn).permute(0, 4, 1, 2, 3) * 2 - 1
    vae = codec.build(codec.components(clips))
    latents = codec.raw_latents(vae, clips[:2, :, :5])
    with torch.no_grad():
        encoded = vae.encode(clips[:2, :, :5]).latent_dist.mode()
        decoded = vae.decode(encoded).sample
    assert torch.allclose(encoded, latents, atol=2e-3)
    assert (decoded - clips[:2, :, :5]).square().mean() < 0.01


def test_targets_of_the_text_encoder_do_not_touch() -> None:
    targets, null = text.codes()
    every = torch.cat([*targets, null[None]])
    assert torch.allclose(every @ every.T, text.WIDTH * torch.eye(len(every)), atol=1e-2)


def test_orthogonalised_matrices_have_nearly_equal_singular_values() -> None:
    matrices = torch.randn(3, 24, 64, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(muon.orthogonalise(matrices))
    assert values.min() > 0.6
    assert values.max() < 1.4


def test_training_s_forward_is_the_stock_one() -> None:
    torch.manual_seed(0)
    transformer = model.build_transformer().eval()
    noisy, context = torch.randn(2, codec.CHANNELS, 16, 6, 10), torch.randn(2, 10, text.WIDTH)
    time = torch.tensor([100.0, 900.0])
    with torch.no_grad():
        stock = transformer(noisy, time, context, return_dict=False)[0]
        ours, _ = model.forward(transformer, noisy, time, context)
    assert torch.allclose(ours, stock, atol=1e-4)


def test_curve_keeps_the_later_of_two_lines_for_a_step(tmp_path: Path) -> None:
    file = tmp_path / "curve.jsonl"
    file.write_text(
        "".join(f'{{"step": {s}, "loss": {v}}}\n' for s, v in ((50, 1.0), (100, 0.5), (100, 0.4)))
    )
    curve = report.read_curve(file)
    assert [(line["step"], line["loss"]) for line in curve] == [(50, 1.0), (100, 0.4)]
    assert "<polyline" in report.draw_curve(curve)

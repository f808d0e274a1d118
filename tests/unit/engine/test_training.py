"""The small world is drawn as it is described, and the training's parts do what the recipe counts on."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from diffusers.models.autoencoders.autoencoder_kl_wan import patchify, unpatchify

from generation.backends.diffusers.checkpoints import BUILTIN
from generation.backends.diffusers.training import codec, model, muon, report, text, world
from generation.backends.diffusers.training.drawing.clip import cells, draw_clip
from generation.backends.diffusers.training.drawing.paths import Start, anywhere, path
from generation.backends.diffusers.training.drawing.scenes import Mood, mood
from generation.backends.diffusers.training.style import print_in_two_inks
from generation.backends.diffusers.training.words import PHRASES, VALUES, VOCABULARY_FILE
from generation.backends.diffusers.training.world import Facts

CALM = Mood(phase=0.0, light=0.5)


def test_words_of_the_checkpoint_mean_the_same_in_the_training() -> None:
    shipped, trained = (
        json.loads(file.read_text())["attributes"] for file in (BUILTIN / "vocabulary.json", VOCABULARY_FILE)
    )
    for attribute, values in shipped.items():
        assert list(trained[attribute])[: len(values)] == list(values), attribute
        for value, entry in values.items():
            assert trained[attribute][value].get("rgb") == entry.get("rgb"), value


def test_never_draws_or_says_a_combination_that_is_held_out() -> None:
    kept = set(world.every_held_out())
    assert 200 < len(kept) < 400
    rng = random.Random(0)
    drawn = (world.sample(rng) for _ in range(5000))
    assert kept.isdisjoint(Facts(one.scene, one.subject, one.colour, one.motion) for one in drawn)


def test_a_caption_names_what_it_says_it_names() -> None:
    rng = random.Random(1)
    for _ in range(300):
        facts, leave = world.sample(rng), world.left_open(rng, 0.6)
        words, named = world.caption(facts, rng, leave=leave)
        assert {name for name, value in named.items() if value is None} == leave
        for attribute, value in named.items():
            said = any(phrase in words for phrase in PHRASES[attribute][getattr(facts, attribute)])
            assert said or value is None


def test_leaves_one_to_three_attributes_open_as_often_as_asked() -> None:
    rng = random.Random(2)
    sizes = Counter(len(world.left_open(rng, 0.5)) for _ in range(2000))
    assert set(sizes) == {0, 1, 2, 3}
    assert 900 < sizes[0] < 1200
    assert world.left_open(rng, 0.0) == set()


@pytest.mark.parametrize("subject", VALUES["subject"])
def test_subject_is_where_the_path_says(subject: str) -> None:
    for motion, size in product(VALUES["motion"], ("small", "big")):
        facts = Facts("paper", subject, "blue", motion, size)
        way, masks = path(facts), draw_clip(facts, CALM)[1]
        for frame in (0, 8, 15):
            rows, columns = np.nonzero(masks[frame] > 0.5)
            assert abs(columns.mean() - way.x[frame]) < 0.6 * way.radius[frame]
            assert abs(rows.mean() - way.y[frame]) < 0.6 * way.radius[frame]


def test_no_path_leads_out_of_the_picture() -> None:
    for motion, size, place in product(*(VALUES[name] for name in ("motion", "size", "place"))):
        way = path(Facts("sea", "star", "red", motion, size, place))
        for centre, end in ((way.x, 160), (way.y, 96)):
            assert (centre - 0.8 * way.radius > 0).all()
            assert (centre + 0.8 * way.radius < end).all()


@pytest.mark.parametrize("motion", VALUES["motion"])
def test_a_clip_goes_on_from_the_last_picture_of_another(motion: str) -> None:
    facts = Facts("sea", "star", "red", motion)
    rng = random.Random(3)
    for _ in range(200):
        start = anywhere(facts, rng)
        way = path(facts, start)
        assert (way.x[0], way.y[0]) == pytest.approx(
            (start.x, start.y), abs=2
        )  # a circle keeps to its lattice
        assert np.abs(np.diff(way.x)).max() <= 20
        assert np.abs(np.diff(way.y)).max() <= 14


def test_a_circle_is_taken_up_where_the_subject_stands() -> None:
    facts = Facts("sea", "star", "red", "circle")
    below = path(facts, Start(80, 64, 8))
    assert (below.x[0], below.y[0]) == (80, 64)
    again = path(facts, Start(int(below.x[-1]), int(below.y[-1]), 8))
    assert np.hypot((again.x - 80) / 32, (again.y - 48) / 16) == pytest.approx(np.ones(16), abs=0.12)


def test_all_paths_share_a_few_pictures_of_the_subject() -> None:
    """What a small model has to learn: how large the subject is and where it lies in the codec's patches."""
    seen = set()
    for motion, size, place in product(*(VALUES[name] for name in ("motion", "size", "place"))):
        way = path(Facts("sea", "star", "red", motion, size, place))
        seen |= set(zip(way.x % 16, way.y % 16, way.radius, strict=True))
    assert len(seen) < 150


def test_size_and_place_can_be_seen() -> None:
    plain = path(Facts("sea", "star", "red", "right"))
    assert (path(Facts("sea", "star", "red", "right", "big")).radius > plain.radius).all()
    assert (path(Facts("sea", "star", "red", "up", "small", "left")).x < plain.x[8]).all()
    assert (path(Facts("sea", "star", "red", "right", place="high")).y < plain.y).all()


def test_seed_varies_every_scene() -> None:
    for scene in VALUES["scene"]:
        facts = Facts(scene, "star", "red", "stay")
        first, second = (draw_clip(facts, Mood(*numbers))[0] for numbers in ((-0.4, 0.1), (0.4, 0.9)))
        assert np.abs(first - second).mean() > 0.005, scene


def test_cells_share_out_the_mask() -> None:
    _, masks = draw_clip(Facts("sea", "circle", "red", "left"), CALM)
    assert cells(masks, 16).sum() * 256 == pytest.approx(masks.sum(), rel=1e-4)


@pytest.fixture(scope="module")
def clips() -> torch.Tensor:
    rng = random.Random(2)
    drawn = [torch.from_numpy(draw_clip(world.sample(rng), mood(rng))[0]) for _ in range(6)]
    return torch.stack(drawn).permute(0, 4, 1, 2, 3) * 2 - 1


@pytest.fixture(scope="module")
def vae(clips: torch.Tensor) -> AutoencoderKLWan:
    torch.manual_seed(0)
    projection = codec.project(codec.components(clips))
    built = codec.build(projection)
    codec.set_latent_statistics(built, codec.raw_latents(built, clips))
    codec.make_linear(built, projection)
    return built


def test_encoder_projects_patches_on_their_principal_components(
    vae: AutoencoderKLWan, clips: torch.Tensor
) -> None:
    latents = codec.raw_latents(vae, clips[:2, :, :5])
    with torch.no_grad():
        encoded = vae.encode(clips[:2, :, :5]).latent_dist.mode()
    assert torch.allclose(encoded, latents, atol=2e-3)


def test_decoder_begins_as_the_projection_s_inverse(vae: AutoencoderKLWan, clips: torch.Tensor) -> None:
    found = codec.components(clips)
    patches = patchify(clips[:2, :, :5], codec.PATCH) - found.mean.view(1, -1, 1, 1, 1)
    basis = found.directions[:, : codec.CHANNELS]
    best = torch.einsum("cd,ndthw->ncthw", basis @ basis.T, patches) + found.mean.view(1, -1, 1, 1, 1)
    with torch.no_grad():
        decoded = vae.decode(codec.raw_latents(vae, clips[:2, :, :5])).sample
    assert (decoded - unpatchify(best, codec.PATCH).clamp(-1, 1)).square().mean() < 2e-4


def test_the_codec_s_codes_have_unit_variance_and_can_be_restored(
    vae: AutoencoderKLWan, clips: torch.Tensor
) -> None:
    codes = codec.normalise(vae, codec.raw_latents(vae, clips))
    assert codes.mean((0, 2, 3, 4)).abs().max() < 1e-3
    assert codes.square().mean() == pytest.approx(1, abs=1e-3)
    assert torch.allclose(codec.restore(vae, codes), codec.raw_latents(vae, clips), atol=1e-4)


def test_a_decoder_trained_on_whole_clips_draws_the_same_frame_by_frame(vae: AutoencoderKLWan) -> None:
    torch.manual_seed(0)
    trained = copy.deepcopy(vae)
    with torch.no_grad():
        for weight in trained.decoder.parameters():
            weight.add_(0.02 * torch.randn(weight.shape))
        codes = torch.randn(1, codec.CHANNELS, 5, 6, 10)
        whole = unpatchify(trained.decoder(trained.post_quant_conv(codes)), codec.PATCH).clamp(-1, 1)
        assert torch.allclose(trained.decode(codes).sample, whole, atol=1e-4)


def test_a_print_has_two_inks_on_warm_paper() -> None:
    drawn = draw_clip(Facts("sea", "boat", "red", "stay"), CALM)[0]
    printed = print_in_two_inks(torch.from_numpy(drawn))
    assert printed.shape == drawn.shape
    assert 0 <= printed.min() <= printed.max() <= 1
    assert (printed - torch.from_numpy(drawn)).abs().mean() > 0.05
    sky, hull = printed[0, 5, 80], printed[0, 60, 80]
    assert sky[0] > sky[2]  # paper
    assert hull[0] > hull[2]  # red


def test_targets_of_the_text_encoder_do_not_touch() -> None:
    targets, null = text.codes()
    every = torch.cat([*targets, null[None]])
    assert torch.allclose(every @ every.T, text.WIDTH * torch.eye(len(every)), atol=1e-2)


def test_what_old_weights_know_keeps_its_vector() -> None:
    targets, null = text.codes()
    rows = torch.linalg.qr(torch.randn(128, 128, generator=torch.Generator().manual_seed(1)))[0] * 128**0.5
    scene, subject, colour, motion = rows[:40].split([9, 11, 11, 9])
    assert torch.equal(targets[0], scene)
    assert torch.equal(targets[1][:10], subject[:10])
    assert torch.equal(targets[1][-1], subject[-1])  # left open
    assert torch.equal(targets[2], colour)
    assert torch.equal(targets[3], motion)
    assert torch.equal(null, rows[40])


def test_orthogonalised_matrices_have_nearly_equal_singular_values() -> None:
    matrices = torch.randn(3, 24, 64, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(muon.orthogonalise(matrices))
    assert values.min() > 0.6
    assert values.max() < 1.4


def test_orthogonalises_convolutions_as_matrices() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Conv3d(4, 6, 3)
    before = layer.weight.detach().clone()
    layer(torch.randn(1, 4, 3, 3, 3)).square().sum().backward()
    muon.Muon([layer.weight], decay=0.0).step(1.0)
    change = (layer.weight.detach() - before).flatten(1)
    assert torch.linalg.matrix_rank(change) >= 1
    assert torch.linalg.svdvals(change)[0] == pytest.approx(0.2 * (4 * 27) ** 0.5, rel=0.4)


def test_training_s_forward_is_the_stock_one() -> None:
    torch.manual_seed(0)
    transformer = model.build_transformer().eval()
    noisy, context = torch.randn(2, codec.CHANNELS, 16, 6, 10), torch.randn(2, 10, text.WIDTH)
    time = torch.tensor([100.0, 900.0])
    with torch.no_grad():
        stock = transformer(noisy, time, context, return_dict=False)[0]
        ours, _ = model.forward(transformer, noisy, time, context)
    assert torch.allclose(ours, stock, atol=1e-4)


def test_a_clip_from_a_picture_has_its_first_tokens_at_time_zero_as_the_stock_pipeline_asks() -> None:
    torch.manual_seed(0)
    transformer = model.build_transformer().eval()
    noisy, context = torch.randn(2, codec.CHANNELS, 16, 6, 10), torch.randn(2, 10, text.WIDTH)
    time = torch.tensor([100.0, 900.0])
    each = time[:, None].repeat(1, 240)
    each[1, :15] = 0
    with torch.no_grad():
        stock = transformer(noisy, each, context, return_dict=False)[0]
        ours, _ = model.forward(transformer, noisy, time, context, torch.tensor([False, True]))
    assert torch.allclose(ours, stock, atol=1e-4)


def test_weights_of_pairs_of_frames_see_a_still_picture_alike_when_widened() -> None:
    torch.manual_seed(0)
    narrow = WanTransformer3DModel(
        patch_size=(2, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4,
        text_dim=8, freq_dim=16, ffn_dim=16, num_layers=1,
    )  # fmt: skip
    wide = WanTransformer3DModel.from_config(narrow.config, patch_size=(1, 2, 2))
    wide.load_state_dict(model.widen_in_time(narrow.state_dict()))
    still = torch.randn(1, 4, 1, 4, 4)
    pair = narrow.patch_embedding(still.expand(-1, -1, 2, -1, -1))
    assert torch.allclose(wide.patch_embedding(still), pair, atol=1e-5)


def test_curve_keeps_the_later_of_two_lines_for_a_step(tmp_path: Path) -> None:
    file = tmp_path / "curve.jsonl"
    file.write_text(
        "".join(f'{{"step": {s}, "loss": {v}}}\n' for s, v in ((50, 1.0), (100, 0.5), (100, 0.4)))
    )
    curve = report.read_curve(file)
    assert [(line["step"], line["loss"]) for line in curve] == [(50, 1.0), (100, 0.4)]
    assert "<polyline" in report.draw_curve(curve)

"""Windows, pictures to start from, and output that is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pictures

from generation.backends.diffusers.arguments import Run
from generation.backends.diffusers.backend import DiffusersBackend
from generation.backends.diffusers.loaded import _from_components
from generation.backends.diffusers.pixels import to_pictures
from generation.backends.diffusers.steps import Track, each_step
from generation.backends.pictures import check_picture, fit_picture
from generation.errors import EngineError, RenderCancelled, SpecRejected
from generation.spec import Image, RenderSpec
from tests.rig.tiny.picture import save_picture
from tests.rig.tiny.wan import save_tiny_wan_5b, save_tiny_wan_picture, save_tiny_wan_small_world

SPEC = RenderSpec("a red boat", seed=3, width=320, height=240, seconds=6, fps=24, steps=2, guidance=2.0)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> DiffusersBackend:
    """Windows of one to two seconds, nine frames each."""
    folder = tmp_path_factory.mktemp("tiny-wan-5b")
    save_tiny_wan_5b(folder)
    return DiffusersBackend(folder)


def pixels(backend: DiffusersBackend, spec: RenderSpec) -> np.ndarray:
    [frames] = backend.render([spec], progress=lambda *_: None, cancelled=lambda: False)
    return np.stack(list(frames.images)).astype(int)


def test_a_window_starts_from_the_last_picture_of_the_one_before(
    backend: DiffusersBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_from: list[Pictures.Image | None] = []
    loaded = backend._room._there
    real = loaded.run

    def run(run: Run, track: Track) -> list[list[Image]]:
        started_from.append(run.picture)
        return real(run, track)

    monkeypatch.setattr(loaded, "run", run)
    clip = pixels(backend, SPEC)
    assert len(clip) == 3 * 9 - 2
    assert started_from[0] is None
    for window, picture in enumerate(started_from[1:], start=1):
        assert (np.asarray(picture) == clip[window * 8]).all()


def test_windows_count_as_one_render(backend: DiffusersBackend) -> None:
    reports: list[tuple[int, int]] = []
    [frames] = backend.render(
        [SPEC], progress=lambda done, total: reports.append((done, total)), cancelled=lambda: False
    )
    assert (frames.windows, frames.count) == (3, 25)
    assert reports == [(done, 6) for done in range(7)]


def test_a_stop_in_the_second_window_leaves_the_backend_usable(backend: DiffusersBackend) -> None:
    before = pixels(backend, SPEC)
    reports: list[int] = []
    with pytest.raises(RenderCancelled):
        backend.render(
            [SPEC], progress=lambda done, _: reports.append(done), cancelled=lambda: reports[-1:] == [3]
        )
    assert reports == [0, 1, 2, 3]
    assert (pixels(backend, SPEC) == before).all()


def test_takes_of_many_windows_are_made_one_by_one(backend: DiffusersBackend) -> None:
    takes = [replace(SPEC, seed=seed) for seed in (1, 2)]
    reports: list[tuple[int, int]] = []
    made = backend.render(
        takes, progress=lambda done, total: reports.append((done, total)), cancelled=lambda: False
    )
    assert reports == [(done, 12) for done in range(13)]
    for take, frames in zip(takes, made, strict=True):
        assert (np.stack(list(frames.images)) == pixels(backend, take)).all()


def test_another_picture_gives_another_clip_and_the_same_one_the_same(
    backend: DiffusersBackend, tmp_path: Path
) -> None:
    one, other = (
        replace(SPEC, seconds=2, image=save_picture(tmp_path, seed=seed, width=90, height=160))
        for seed in (1, 2)
    )
    first = pixels(backend, one)
    assert (pixels(backend, one) == first).all()
    assert abs(pixels(backend, other) - first).max() > 3


def test_a_model_of_one_length_fills_any_with_windows_of_it(tmp_path: Path) -> None:
    save_tiny_wan_small_world(tmp_path)
    backend = DiffusersBackend(tmp_path)
    assert len(pixels(backend, replace(SPEC, seconds=3))) == 8
    clip = pixels(backend, replace(SPEC, seconds=12, image=save_picture(tmp_path)))
    assert len(clip) == 3 * 8 - 2
    assert clip.shape[1:] == (64, 64, 3)
    with pytest.raises(SpecRejected, match="2 to 20 seconds"):
        backend.check(replace(SPEC, seconds=1))


def test_a_model_that_starts_from_pictures_only_asks_for_one(tmp_path: Path) -> None:
    save_tiny_wan_picture(tmp_path)
    backend = DiffusersBackend(tmp_path)
    with pytest.raises(SpecRejected) as refused:
        backend.check(replace(SPEC, seconds=2))
    assert refused.value.code == "image_required"
    backend.warm()


def test_both_pipelines_have_the_same_parts_in_memory(backend: DiffusersBackend) -> None:
    text = backend._room._there._pipelines["WanPipeline"]
    picture = _from_components("WanImageToVideoPipeline", text)
    assert picture.transformer is text.transformer
    assert picture.vae is text.vae
    assert picture.text_encoder is text.text_encoder
    assert picture.config.expand_timesteps


def test_a_checkpoint_that_has_not_learned_pictures_says_so(tmp_path: Path) -> None:
    backend = with_profile(tmp_path, images=False)
    assert not backend.capability().images
    for wrong, code in (
        (replace(SPEC, seconds=2, image=save_picture(tmp_path)), "images_unsupported"),
        (SPEC, "unsupported_length"),
    ):
        with pytest.raises(SpecRejected) as refused:
            backend.check(wrong)
        assert refused.value.code == code


def test_words_guide_a_stretch_from_a_picture_no_more_than_the_checkpoint_says(tmp_path: Path) -> None:
    guided = replace(SPEC, seconds=2, image=save_picture(tmp_path))
    plain = replace(guided, guidance=1.0)
    free = with_profile(tmp_path / "free")
    held = with_profile(tmp_path / "held", picture_guidance=1.0)
    assert (pixels(free, guided) != pixels(free, plain)).any()
    assert (pixels(held, guided) == pixels(held, plain)).all()


def with_profile(folder: Path, **more: object) -> DiffusersBackend:
    save_tiny_wan_5b(folder)
    file = folder / "profile.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **more}))
    return DiffusersBackend(folder)


def test_a_cache_is_used_where_asked_for_and_forgets_between_renders(
    backend: DiffusersBackend, tmp_path: Path
) -> None:
    spec = replace(SPEC, seconds=2, steps=6)
    cached = with_profile(tmp_path, cache=0.2)
    first = pixels(cached, spec)
    assert abs(first - pixels(backend, spec)).max() > 3
    heard: list[int] = []
    with pytest.raises(RenderCancelled):
        cached.render(
            [spec], progress=lambda done, _: heard.append(done), cancelled=lambda: heard[-1:] == [3]
        )
    assert (pixels(cached, spec) == first).all()


@pytest.mark.models
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler uses what torch gives up
def test_compiled_blocks_give_the_same_pictures(backend: DiffusersBackend, tmp_path: Path) -> None:
    spec = replace(SPEC, seconds=2)
    assert abs(pixels(with_profile(tmp_path, compile=True), spec) - pixels(backend, spec)).max() <= 2


def test_a_damaged_decoder_is_our_fault_and_makes_no_clip(tmp_path: Path) -> None:
    save_tiny_wan_5b(tmp_path)
    backend = DiffusersBackend(tmp_path)
    vae = backend._room._there._running.vae
    with torch.no_grad():
        vae.decoder.conv_out.bias.fill_(float("nan"))
    with pytest.raises(EngineError, match="none") as fault:
        pixels(backend, replace(SPEC, seconds=2))
    assert type(fault.value) is EngineError
    with torch.no_grad():
        vae.decoder.conv_out.bias.fill_(-1e4)
    with pytest.raises(EngineError, match="one flat colour"):
        pixels(backend, replace(SPEC, seconds=2))


def test_pictures_are_rounded_and_kept_in_range() -> None:
    video = torch.tensor([0.0, 0.5, 1.0]).expand(1, 2, 3, 4, 3)
    [pictures] = to_pictures(video)
    assert [picture.shape for picture in pictures] == [(4, 3, 3)] * 2
    assert pictures[0][0, :, 0].tolist() == [0, 128, 255]


def test_a_clip_is_cut_to_shape_upright_and_without_borders(tmp_path: Path) -> None:
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 100:200] = (250, 10, 10)
    turned = Pictures.fromarray(pixels).transpose(Pictures.Transpose.ROTATE_90)
    exif = Pictures.Exif()
    exif[274] = 6  # shown turned by a quarter
    turned.save(tmp_path / "turned.png", exif=exif)
    fitted = fit_picture(tmp_path / "turned.png", width=64, height=64)
    assert fitted.shape == (64, 64, 3)
    assert (fitted == (250, 10, 10)).mean() > 0.95


def test_refuses_pictures_that_are_none_or_too_large(tmp_path: Path) -> None:
    Pictures.new("RGB", (4, 4)).save(tmp_path / "small.gif")
    (tmp_path / "half.png").write_bytes(save_picture(tmp_path).read_bytes()[:600])
    Pictures.new("1", (8000, 8000)).save(tmp_path / "large.png")
    for name, code in (
        ("gone.png", "image_unreadable"),
        ("small.gif", "image_unreadable"),
        ("large.png", "image_too_large"),
    ):
        with pytest.raises(SpecRejected) as refused:
            check_picture(tmp_path / name)
        assert refused.value.code == code
    with pytest.raises(SpecRejected):
        fit_picture(tmp_path / "half.png", width=32, height=32)


class Scheduler:
    """Twice as many steps as were asked for, as second-order ones have."""

    timesteps = range(4)

    def step(self, noise: float, time: int) -> float:
        return noise - time


class Pipeline:
    """Has no callback."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()

    def __call__(self, prompt: str) -> float:
        return sum(self.scheduler.step(1.0, time) for time in self.scheduler.timesteps)


def test_steps_are_heard_without_a_callback_and_the_scheduler_is_left_as_it_was() -> None:
    pipeline, reports = Pipeline(), list[tuple[int, int]]()
    track = Track(lambda done, total: reports.append((done, total)), lambda: False)
    track.start(2, runs=1)
    with each_step(pipeline, track.step) as more:
        assert pipeline("a boat", **more) == -2.0
    assert reports == [(0, 2), (0, 2), (1, 2), (1, 2), (2, 2)]
    assert "step" not in vars(pipeline.scheduler)


def test_a_stop_leaves_the_scheduler_as_it_was() -> None:
    pipeline, reports = Pipeline(), list[int]()
    track = Track(lambda done, _: reports.append(done), lambda: len(reports) == 3)
    track.start(4, runs=1)
    with pytest.raises(RenderCancelled), each_step(pipeline, track.step) as more:
        pipeline("a boat", **more)
    assert reports == [0, 1, 2]
    assert "step" not in vars(pipeline.scheduler)

"""Adapters on a loaded checkpoint: seen in the pictures, kept while they repeat, gone when they are not asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from generation.backends.diffusers.backend import DiffusersBackend
from generation.errors import EngineError, SpecRejected
from generation.spec import Adapter, RenderSpec
from tests.rig.tiny.hunyuan import save_tiny_hunyuan_15
from tests.rig.tiny.lora import one_pair, pairs_for, write
from tests.rig.tiny.ltx import save_tiny_ltx
from tests.rig.tiny.picture import save_picture
from tests.rig.tiny.wan import save_tiny_wan_5b, save_tiny_wan_a14b

SPEC = RenderSpec("a red boat", seed=3, width=320, height=240, seconds=1, fps=24, steps=2, guidance=2.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tiny-wan-5b")
    save_tiny_wan_5b(made)
    return made


@pytest.fixture(scope="module")
def backend(folder: Path) -> DiffusersBackend:
    return DiffusersBackend(folder)


@pytest.fixture(scope="module")
def styles(folder: Path) -> list[Adapter]:
    return [write(folder / f"style-{seed}.safetensors", pairs_for(folder, seed=seed)) for seed in (1, 2)]


def pixels(backend: DiffusersBackend, spec: RenderSpec = SPEC) -> np.ndarray:
    [frames] = backend.render([spec], progress=lambda *_: None, cancelled=lambda: False)
    return np.stack(list(frames.images)).astype(int)


def test_changes_the_pictures_by_its_weight_and_leaves_no_trace(
    backend: DiffusersBackend, styles: list[Adapter]
) -> None:
    plain = pixels(backend)
    first, second = (pixels(backend, replace(SPEC, adapter=style)) for style in styles)
    assert abs(first - plain).max() > 3
    assert abs(second - first).max() > 3
    stronger = pixels(backend, replace(SPEC, adapter=replace(styles[0], weight=3.0)))
    assert abs(stronger - first).max() > 3
    assert (pixels(backend, replace(SPEC, adapter=replace(styles[0], weight=0.0))) == plain).all()
    assert (pixels(backend, replace(SPEC, adapter=styles[0])) == first).all()
    assert (pixels(backend) == plain).all()


def test_same_bytes_with_a_picture_and_an_adapter_over_windows(
    backend: DiffusersBackend, styles: list[Adapter], folder: Path
) -> None:
    spec = replace(SPEC, adapter=styles[0], image=save_picture(folder), seconds=4)
    first = pixels(backend, spec)
    pixels(backend, replace(SPEC, adapter=styles[1]))
    assert len(first) == 17
    assert (pixels(backend, spec) == first).all()
    assert abs(first - pixels(backend, replace(spec, adapter=None))).max() > 3


def test_is_loaded_once_while_it_repeats(
    backend: DiffusersBackend, styles: list[Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def load(file: Path) -> dict[str, torch.Tensor]:
        read.append(file)
        return load_file(file)

    monkeypatch.setattr("generation.backends.diffusers.lora.load_file", load)
    pixels(backend)
    for style in (styles[0], styles[0], replace(styles[0], weight=0.5), styles[1], styles[1]):
        pixels(backend, replace(SPEC, adapter=style))
    assert read == [styles[0].path, styles[1].path]


def test_speaks_as_strongly_as_its_file_says(
    backend: DiffusersBackend, folder: Path, styles: list[Adapter]
) -> None:
    doubled = write(folder / "doubled.safetensors", pairs_for(folder, seed=1), r=4, lora_alpha=8)
    twice = pixels(backend, replace(SPEC, adapter=replace(styles[0], weight=2.0)))
    assert (pixels(backend, replace(SPEC, adapter=doubled)) == twice).all()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"sha256": "0" * 64}, "adapter_changed"),
        ({"weight": 9.0}, "adapter_weight"),
        ({"weight": float("nan")}, "adapter_weight"),
    ],
)
def test_refuses_another_file_and_a_wild_weight(
    backend: DiffusersBackend, styles: list[Adapter], wrong: dict[str, object], code: str
) -> None:
    with pytest.raises(SpecRejected) as refused:
        pixels(backend, replace(SPEC, adapter=replace(styles[0], **wrong)))  # type: ignore[arg-type]
    assert refused.value.code == code


def test_refuses_an_adapter_of_another_model(backend: DiffusersBackend, folder: Path) -> None:
    other = write(folder / "other.safetensors", one_pair(width=32))
    with pytest.raises(SpecRejected) as refused:
        backend.check(replace(SPEC, adapter=other))
    assert refused.value.code == "adapter_targets"


@pytest.mark.parametrize(
    ("fault", "seen"), [(ValueError("no target"), SpecRejected), (RuntimeError("broken"), RuntimeError)]
)
def test_what_cannot_be_put_on_leaves_no_trace(
    backend: DiffusersBackend,
    styles: list[Adapter],
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    seen: type[Exception],
) -> None:
    plain = pixels(backend)
    pipeline = backend._room._there._running

    def fail(*_: object, **__: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(type(pipeline), "load_lora_weights", fail)
        with pytest.raises(seen):
            pixels(backend, replace(SPEC, adapter=styles[0]))
    assert (pixels(backend) == plain).all()
    assert abs(pixels(backend, replace(SPEC, adapter=styles[0])) - plain).max() > 3


def test_an_adapter_that_makes_the_model_run_over_is_the_artists_to_change(
    backend: DiffusersBackend, folder: Path
) -> None:
    """Each number is one that may be, and what its settings multiply it with as well."""
    plain = pixels(backend)
    style = write(folder / "loud.safetensors", pairs_for(folder, seed=1), lora_alpha=1e38, r=1)
    with pytest.raises(SpecRejected) as refused:
        pixels(backend, replace(SPEC, adapter=style))
    assert refused.value.code == "adapter_overflow"
    assert (pixels(backend) == plain).all()


def test_a_damaged_decoder_stays_our_fault_beside_an_adapter_that_says_nothing(tmp_path: Path) -> None:
    save_tiny_wan_5b(tmp_path)
    backend = DiffusersBackend(tmp_path)
    style = write(tmp_path / "style.safetensors", pairs_for(tmp_path))
    with torch.no_grad():
        backend._room._there._running.vae.decoder.conv_out.bias.fill_(float("nan"))
    with pytest.raises(SpecRejected):
        pixels(backend, replace(SPEC, adapter=style))
    for ours in (replace(SPEC, adapter=replace(style, weight=0.0)), SPEC):
        with pytest.raises(EngineError) as fault:
            pixels(backend, ours)
        assert type(fault.value) is EngineError


def test_both_experts_get_it(tmp_path: Path) -> None:
    save_tiny_wan_a14b(tmp_path)
    backend = DiffusersBackend(tmp_path)
    style = write(tmp_path / "style.safetensors", pairs_for(tmp_path))
    plain = pixels(backend)
    assert abs(pixels(backend, replace(SPEC, adapter=style)) - plain).max() > 3
    loaded = backend._room._there._running
    assert loaded.transformer.active_adapters() == loaded.transformer_2.active_adapters() == ["style"]
    assert (pixels(backend) == plain).all()


def test_works_for_another_family(tmp_path: Path) -> None:
    save_tiny_ltx(tmp_path)
    backend = DiffusersBackend(tmp_path)
    style = write(tmp_path / "style.safetensors", pairs_for(tmp_path))
    assert abs(pixels(backend, replace(SPEC, adapter=style)) - pixels(backend)).max() > 3


@pytest.mark.models
def test_says_so_where_diffusers_loads_none(tmp_path: Path) -> None:
    save_tiny_hunyuan_15(tmp_path)
    backend = DiffusersBackend(tmp_path)
    assert not backend.capability().adapters
    with pytest.raises(SpecRejected) as refused:
        backend.check(replace(SPEC, adapter=write(tmp_path / "style.safetensors", one_pair())))
    assert refused.value.code == "adapters_unsupported"

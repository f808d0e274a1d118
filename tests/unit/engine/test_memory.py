"""When memory runs out: one step down, remembered; takes that do not fit together are made one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import WanTransformer3DModel

from generation.backends.diffusers import ladder
from generation.backends.diffusers.backend import DiffusersBackend
from generation.backends.diffusers.meter import takes_that_fit
from generation.backends.diffusers.profile import RUNGS
from generation.errors import Transient
from generation.spec import RenderSpec
from tests.rig.tiny.lora import pairs_for, write
from tests.rig.tiny.picture import save_picture
from tests.rig.tiny.wan import save_tiny_wan, save_tiny_wan_5b

SPEC = RenderSpec("a red boat", seed=3, width=320, height=240, seconds=1, fps=24, steps=2, guidance=2.0)
FULL = "CUDA out of memory. Tried to allocate 20.00 GiB."
Scarce = Callable[..., None]


@pytest.fixture
def backend(tmp_path: Path) -> DiffusersBackend:
    save_tiny_wan(tmp_path)
    return DiffusersBackend(tmp_path)


@pytest.fixture
def run_out(monkeypatch: pytest.MonkeyPatch) -> Scarce:
    """Makes the transformer run out of memory: the next `times` times, or whenever more takes than `fits` come."""
    real = WanTransformer3DModel.forward

    def arrange(*, times: int = 0, fits: int = 99, fault: Exception | None = None) -> None:
        left = [times]

        def forward(self: Any, hidden_states: torch.Tensor, *rest: Any, **named: Any) -> Any:
            if left[0] or len(hidden_states) > fits:
                left[0] -= 1 if left[0] else 0
                raise fault or torch.OutOfMemoryError(FULL)
            return real(self, hidden_states, *rest, **named)

        monkeypatch.setattr(WanTransformer3DModel, "forward", forward)

    return arrange


def render(backend: DiffusersBackend, *takes: RenderSpec) -> tuple[list[np.ndarray], list[tuple[int, int]]]:
    reports: list[tuple[int, int]] = []
    made = backend.render(
        takes, progress=lambda done, total: reports.append((done, total)), cancelled=lambda: False
    )
    return [np.stack(list(frames.images)).astype(int) for frames in made], reports


def test_steps_down_once_and_stays_there(backend: DiffusersBackend, run_out: Scarce) -> None:
    [before], _ = render(backend, SPEC)
    assert backend.capability().rung == "none"
    run_out(times=1)
    [after], reports = render(backend, SPEC)
    assert reports == [(0, 2), (0, 2), (1, 2), (2, 2)]
    assert backend.capability().rung == "tiling"
    assert backend._room._there._running.vae.use_tiling
    assert abs(after - before).max() <= 2  # one tile is enough for a clip this small
    _, reports = render(backend, SPEC)
    assert reports == [(0, 2), (1, 2), (2, 2)]
    assert backend.capability().rung == "tiling"


def test_what_fails_again_may_pass_later(backend: DiffusersBackend, run_out: Scarce) -> None:
    run_out(times=2)
    with pytest.raises(Transient, match="also after a step down"):
        render(backend, SPEC)
    render(backend, SPEC)


def test_on_the_last_rung_there_is_nowhere_to_step(backend: DiffusersBackend, run_out: Scarce) -> None:
    run_out(times=1)
    render(backend, SPEC)
    run_out(times=1)
    with pytest.raises(Transient, match="no smaller way"):
        render(backend, SPEC)
    assert backend.capability().rung == "tiling"
    render(backend, SPEC)


def test_the_processor_s_own_allocator_is_understood(backend: DiffusersBackend, run_out: Scarce) -> None:
    run_out(times=1, fault=RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    render(backend, SPEC)
    assert backend.capability().rung == "tiling"


def test_other_faults_are_not_taken_for_it(backend: DiffusersBackend, run_out: Scarce) -> None:
    run_out(times=1, fault=RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        render(backend, SPEC)
    assert backend.capability().rung == "none"
    render(backend, SPEC)


def test_takes_that_do_not_fit_together_are_made_one_by_one(
    backend: DiffusersBackend, run_out: Scarce
) -> None:
    takes = [replace(SPEC, seed=seed) for seed in (1, 2, 3)]
    alone = [render(backend, take)[0][0] for take in takes]
    run_out(fits=1)
    together, reports = render(backend, *takes)
    assert all((one == other).all() for one, other in zip(together, alone, strict=True))
    assert reports == [(0, 2), *((done, 6) for done in range(7))]
    assert backend.capability().rung == "none"


def test_each_take_tells_with_how_many_it_was_really_made(backend: DiffusersBackend, run_out: Scarce) -> None:
    def places() -> list[tuple[int, int]]:
        made = backend.render(takes, progress=lambda *_: None, cancelled=lambda: False)
        return [(frames.batch, frames.place) for frames in made]

    takes = [replace(SPEC, seed=seed) for seed in (1, 2, 3)]
    assert places() == [(3, 0), (3, 1), (3, 2)]
    run_out(fits=1)
    assert places() == [(1, 0)] * 3


def test_a_checkpoint_that_does_not_fit_is_loaded_a_rung_lower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_tiny_wan(tmp_path)
    real = ladder.place

    def place(pipeline: Any, rung: str, device: torch.device) -> None:
        if rung == "none":
            raise torch.OutOfMemoryError(FULL)
        real(pipeline, rung, device)

    monkeypatch.setattr(ladder, "place", place)
    backend = DiffusersBackend(tmp_path)
    assert backend.capability().rung == "tiling"
    render(backend, SPEC)


def test_rungs_that_need_a_gpu_are_left_out_without_one() -> None:
    assert ladder.rungs(RUNGS, torch.device("cpu")) == ("none", "tiling")
    assert ladder.rungs(RUNGS, torch.device("cuda")) == RUNGS
    assert ladder.rungs(("offload", "fp8"), torch.device("cuda")) == ("offload", "fp8")
    assert ladder.rungs(("offload", "fp8"), torch.device("cpu")) == ("none",)


@pytest.fixture
def on_rung(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> DiffusersBackend:
    """A backend on a rung that is meant for GPUs: from the processor's memory into the processor's memory."""
    monkeypatch.setattr(ladder, "rungs", lambda *_: (request.param,))
    save_tiny_wan_5b(tmp_path)
    return DiffusersBackend(tmp_path)


@pytest.mark.parametrize("on_rung", ["offload", "group offload"], indirect=True)
def test_weights_that_come_and_go_make_the_same_pictures(
    on_rung: DiffusersBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "rungs", lambda *_: ("none",))
    whole = DiffusersBackend(tmp_path)
    from_picture = replace(SPEC, image=save_picture(tmp_path), seconds=4)
    for spec in (SPEC, from_picture, SPEC):
        assert (render(on_rung, spec)[0][0] == render(whole, spec)[0][0]).all()
    assert on_rung.at_once(SPEC) == on_rung.capability().at_once == 1


@pytest.mark.parametrize("on_rung", ["fp8"], indirect=True)
def test_weights_of_eight_bits_render_without_adapters(on_rung: DiffusersBackend, tmp_path: Path) -> None:
    [first], _ = render(on_rung, SPEC)
    kept = {weight.dtype for weight in on_rung._room._there._running.transformer.parameters()}
    assert torch.float8_e4m3fn in kept
    assert (render(on_rung, SPEC)[0][0] == first).all()
    assert not on_rung.capability().adapters
    style = write(tmp_path / "style.safetensors", pairs_for(tmp_path))
    with pytest.raises(Transient, match="too little memory for adapters"):
        render(on_rung, replace(SPEC, adapter=style))
    assert (render(on_rung, SPEC)[0][0] == first).all()


@pytest.mark.parametrize(
    ("free", "volume", "fit"), [(100, 10, 10), (100, 1, 16), (100, 60, 1), (100, 200, 1), (-5, 1, 1)]
)
def test_counts_takes_by_what_a_pixel_needed(free: int, volume: int, fit: int) -> None:
    assert takes_that_fit(volume, free=free, bytes_a_pixel=1.0) == fit
    assert takes_that_fit(volume, free=free, bytes_a_pixel=0.0) == 1


def test_memory_grows_with_what_was_loaded(backend: DiffusersBackend) -> None:
    render(backend, SPEC)
    backend.warm()
    said = backend.capability()
    assert said.memory >= 0
    assert said.load_seconds > 0
    assert said.warm_seconds > 0

"""What every backend keeps: real progress, a stop within one step, and the same frames for the same spec."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generation.backends import registry
from generation.backends.base import Backend
from generation.errors import RenderCancelled, SpecRejected
from generation.spec import Frames, RenderSpec
from tests.rig.tiny_wan import save_tiny_wan

SPEC = RenderSpec(
    prompt=" a red boat drifts left ",
    seed=11,
    width=320,
    height=180,
    seconds=2,
    fps=24,
    steps=3,
    guidance=2.0,
)


@pytest.fixture(scope="module")
def tiny_wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-wan")
    save_tiny_wan(folder)
    return folder


@pytest.fixture(params=["null", "builtin", "tiny wan"])
def backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "null":
        return registry.load("null")
    if request.param == "builtin":
        return registry.load("diffusers", "builtin")
    return registry.load("diffusers", str(request.getfixturevalue("tiny_wan")))


def render(backend: Backend, spec: RenderSpec = SPEC) -> tuple[Frames, list[tuple[int, int]]]:
    """Frames, and what was reported."""
    reports: list[tuple[int, int]] = []
    frames = backend.render(
        [spec], progress=lambda done, total: reports.append((done, total)), cancelled=lambda: False
    )
    return frames[0], reports


def bytes_of(frames: Frames) -> list[bytes]:
    return [image.tobytes() for image in frames.images]


def test_reports_every_denoising_step(backend: Backend) -> None:
    _, reports = render(backend)
    assert reports == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_frames_are_as_declared(backend: Backend) -> None:
    frames, _ = render(backend)
    images = list(frames.images)
    assert len(images) == frames.count > 1
    for image in images:
        assert image.shape == (frames.height, frames.width, 3)
        assert image.dtype == np.uint8


def test_same_spec_gives_the_same_bytes(backend: Backend) -> None:
    assert bytes_of(render(backend)[0]) == bytes_of(render(backend)[0])


def test_another_seed_gives_other_frames(backend: Backend) -> None:
    if backend.name == "null":
        assert bytes_of(render(backend, replace(SPEC, seed=12))[0]) == bytes_of(render(backend)[0])
    else:
        assert bytes_of(render(backend, replace(SPEC, seed=12))[0]) != bytes_of(render(backend)[0])


def test_stop_takes_effect_within_one_step_and_leaves_the_backend_usable(backend: Backend) -> None:
    before = bytes_of(render(backend)[0])
    reports: list[int] = []
    with pytest.raises(RenderCancelled):
        backend.render(
            [replace(SPEC, steps=6)],
            progress=lambda done, _: reports.append(done),
            cancelled=lambda: bool(reports) and reports[-1] >= 2,
        )
    assert reports == [0, 1, 2]
    assert bytes_of(render(backend)[0]) == before


def test_renders_asked_for_at_once_do_not_mix(backend: Backend) -> None:
    specs = [SPEC, replace(SPEC, seed=12)]
    alone = [bytes_of(render(backend, spec)[0]) for spec in specs]
    with ThreadPoolExecutor(2) as pool:
        together = [bytes_of(frames) for frames, _ in pool.map(partial(render, backend), specs)]
    assert together == alone


def test_does_not_begin_what_is_not_wanted(backend: Backend) -> None:
    reports: list[int] = []
    with pytest.raises(RenderCancelled):
        backend.render([SPEC], progress=lambda done, _: reports.append(done), cancelled=lambda: True)
    assert reports == []


@pytest.mark.parametrize(
    "wrong",
    [{"seconds": 0}, {"width": 321}, {"height": 0}, {"width": -320}, {"steps": 0}],
    ids=["length", "odd size", "no height", "negative width", "steps"],
)
def test_refuses_what_it_cannot_render_before_the_first_step(backend: Backend, wrong: dict[str, Any]) -> None:
    spec, reports = replace(SPEC, **wrong), list[int]()
    with pytest.raises(SpecRejected) as checked:
        backend.check(spec)
    assert checked.value.code.startswith("unsupported_")
    assert checked.value.sentence.endswith(".")
    with pytest.raises(SpecRejected):
        backend.render([spec], progress=lambda done, _: reports.append(done), cancelled=lambda: False)
    assert reports == []


def test_renders_the_prompt_that_it_says_it_completed(backend: Backend) -> None:
    completed = backend.complete_prompt(SPEC.prompt, SPEC.seed)
    assert completed.startswith("a red boat drifts left")
    assert render(backend)[0].completed_prompt == completed


def test_names_its_checkpoint_by_digest(backend: Backend) -> None:
    assert len(bytes.fromhex(backend.checkpoint)) == 32


def test_guidance_off_renders_too(backend: Backend) -> None:
    frames, reports = render(backend, replace(SPEC, guidance=1.0))
    assert frames.count == len(list(frames.images))
    assert reports[-1] == (3, 3)

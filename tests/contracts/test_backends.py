"""What every backend keeps: real progress, a stop within one step, and the same frames for the same spec."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures

from generation.backends.base import Backend
from generation.errors import RenderCancelled, SpecRejected
from generation.spec import Adapter, Frames, RenderSpec

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


def render(backend: Backend, spec: RenderSpec = SPEC) -> tuple[Frames, list[tuple[int, int]]]:
    """Frames, and what was reported."""
    reports: list[tuple[int, int]] = []
    frames = backend.render(
        [spec], progress=lambda done, total: reports.append((done, total)), cancelled=lambda: False
    )
    return frames[0], reports


def bytes_of(frames: Frames) -> list[bytes]:
    return [image.tobytes() for image in frames.images]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Half sun, half sea, in no shape that a model makes."""
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:50], pixels[50:] = (240, 190, 80), (20, 60, 120)
    Pictures.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


def test_reports_where_it_is_from_nothing_to_all(backend: Backend) -> None:
    frames, reports = render(backend)
    steps = SPEC.steps * frames.windows
    assert reports[0] == (0, steps)
    assert reports[-1] == (steps, steps)
    assert reports == sorted(set(reports))
    if backend.name != "remote":  # a server is asked now and then
        assert reports == [(done, steps) for done in range(steps + 1)]


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


def test_takes_come_in_the_order_asked_for_and_look_as_they_do_alone(backend: Backend) -> None:
    takes = [replace(SPEC, seed=seed) for seed in (12, 11)][: backend.at_once(SPEC)]
    alone = [bytes_of(render(backend, take)[0]) for take in takes]
    together = backend.render(takes, progress=lambda *_: None, cancelled=lambda: False)
    assert [bytes_of(frames) for frames in together] == alone


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
    assert refusal(backend, replace(SPEC, **wrong)).code.startswith("unsupported_")


def test_starts_from_a_picture_or_says_that_it_cannot(backend: Backend, picture: Path) -> None:
    spec = replace(SPEC, image=picture)
    if not backend.capability().images:
        assert refusal(backend, spec).code == "images_unsupported"
        return
    with_picture = bytes_of(render(backend, spec)[0])
    assert with_picture == bytes_of(render(backend, spec)[0])
    if backend.name != "null":
        assert with_picture != bytes_of(render(backend)[0])


def test_refuses_a_picture_that_is_none(backend: Backend, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"no picture")
    spec = replace(SPEC, image=tmp_path / "picture.png")
    expected = "image_unreadable" if backend.capability().images else "images_unsupported"
    assert refusal(backend, spec).code == expected


def test_refuses_an_adapter_that_is_none(backend: Backend, tmp_path: Path) -> None:
    (tmp_path / "style.safetensors").write_bytes(b"no weights")
    spec = replace(SPEC, adapter=Adapter(tmp_path / "style.safetensors", sha256="0" * 64))
    expected = "adapter_unreadable" if backend.capability().adapters else "adapters_unsupported"
    assert refusal(backend, spec).code == expected


def refusal(backend: Backend, spec: RenderSpec) -> SpecRejected:
    """Why it refuses: the same when it is asked and when it should render, and before the first step."""
    with pytest.raises(SpecRejected) as checked:
        backend.check(spec)
    reports: list[int] = []
    with pytest.raises(SpecRejected) as tried:
        backend.render([spec], progress=lambda done, _: reports.append(done), cancelled=lambda: False)
    assert reports == []
    assert (tried.value.code, tried.value.sentence) == (checked.value.code, checked.value.sentence)
    assert checked.value.sentence.endswith(".")
    return checked.value


def test_renders_the_prompt_that_it_says_it_completed(backend: Backend) -> None:
    completed = backend.complete_prompt(SPEC.prompt, SPEC.seed)
    assert "red boat drifts left" in completed
    assert render(backend)[0].completed_prompt == completed


def test_names_its_checkpoint_by_digest(backend: Backend) -> None:
    assert len(bytes.fromhex(backend.checkpoint)) == 32


def test_says_what_it_runs_on_and_can_do(backend: Backend) -> None:
    backend.warm()
    render(backend)
    said = backend.capability()
    assert said.device
    assert said.dtype
    assert said.rung
    assert min(said.memory, said.load_seconds, said.warm_seconds) >= 0
    assert said.at_once >= backend.at_once(SPEC) >= 1


def test_warming_changes_nothing(backend: Backend) -> None:
    before = bytes_of(render(backend)[0])
    backend.warm()
    assert bytes_of(render(backend)[0]) == before


def test_guidance_off_renders_too(backend: Backend) -> None:
    frames, reports = render(backend, replace(SPEC, guidance=1.0))
    assert frames.count == len(list(frames.images))
    assert reports[-1] == (3 * frames.windows, 3 * frames.windows)

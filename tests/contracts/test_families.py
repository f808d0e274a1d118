"""Every family of checkpoints, with random weights in the real classes: loaded, rendered, stopped, rendered again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generation.backends import registry
from generation.backends.base import Backend
from generation.backends.diffusers import sizes
from generation.backends.diffusers.families import FAMILIES, read_profile
from generation.backends.diffusers.profile import Profile
from generation.errors import RenderCancelled, SpecRejected
from generation.spec import Frames, RenderSpec
from tests.rig.tiny.families import COMMON, OTHERS
from tests.rig.tiny.picture import save_picture

pytestmark = [
    pytest.mark.filterwarnings("ignore:In CPU autocast"),  # Mochi asks for it; it does without
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation"
    ),  # diffusers' scheduler makes arrays of tensors
]
SPEC = RenderSpec(
    prompt="a red boat",
    seed=11,
    width=320,
    height=240,
    seconds=1,
    fps=24,
    steps=2,
    guidance=3.0,
    negative_prompt="sea",
)
Case = tuple[Backend, Profile, RenderSpec]


@pytest.fixture(
    scope="module",
    params=[*COMMON, *(pytest.param(name, marks=pytest.mark.models) for name in OTHERS)],
)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A backend of each family, what is known of it, and a spec that it can render."""
    folder = tmp_path_factory.mktemp("checkpoint")
    {**COMMON, **OTHERS}[request.param](folder)
    profile = read_profile(folder)
    assert profile.name == request.param
    spec = SPEC if profile.text else replace(SPEC, image=save_picture(folder))
    return registry.load("diffusers", str(folder)), profile, spec


def render(backend: Backend, *takes: RenderSpec) -> tuple[list[Frames], list[tuple[int, int]]]:
    """Frames of each, and what was reported."""
    reports: list[tuple[int, int]] = []
    made = backend.render(
        takes, progress=lambda done, total: reports.append((done, total)), cancelled=lambda: False
    )
    return made, reports


def pixels_of(frames: Frames) -> np.ndarray:
    return np.stack(list(frames.images)).astype(int)


def test_every_family_has_a_checkpoint_here() -> None:
    assert {family.name for family in FAMILIES} == set(COMMON) | set(OTHERS)


def test_renders_and_counts_steps_and_stops_and_renders_the_same_again(case: Case) -> None:
    backend, profile, spec = case
    [first], reports = render(backend, spec)
    assert reports == [(0, 2), (1, 2), (2, 2)]
    assert first.count == len(list(first.images)) > 1
    assert (first.count - 1) % profile.frame_step == 0
    assert first.width % profile.size_multiple == first.height % profile.size_multiple == 0

    heard: list[int] = []
    with pytest.raises(RenderCancelled):
        backend.render(
            [replace(spec, steps=4)],
            progress=lambda done, _: heard.append(done),
            cancelled=lambda: heard[-1:] == [1],
        )
    assert heard == [0, 1]
    [again], _ = render(backend, spec)
    assert (pixels_of(again) == pixels_of(first)).all()


def test_takes_in_one_forward_look_as_they_do_alone(case: Case) -> None:
    backend, _, spec = case
    if spec.image:
        assert backend.at_once(spec) == 1
        return
    takes = [replace(spec, seed=11), replace(spec, seed=12)]
    together, reports = render(backend, *takes)
    assert reports == [(0, 2), (1, 2), (2, 2)]
    alone = [render(backend, take)[0][0] for take in takes]
    for one, other in zip(together, alone, strict=True):
        assert abs(pixels_of(one) - pixels_of(other)).max() <= 2  # sums of another order
    assert abs(pixels_of(alone[0]) - pixels_of(alone[1])).max() > 30
    for place, (take, made) in enumerate(zip(takes, together, strict=True)):
        repeated = render(backend, take, take)[0][place]  # as the worker renders it again: where it was
        assert (pixels_of(repeated) == pixels_of(made)).all()


def test_goes_on_from_a_picture_or_says_that_it_cannot(case: Case, tmp_path: Path) -> None:
    backend, profile, spec = case
    assert profile.window_seconds is not None
    twice = int(2 * profile.window_seconds[1])
    from_picture = replace(spec, image=save_picture(tmp_path))
    if not profile.starts_from_pictures:
        for wrong, code in (
            (from_picture, "images_unsupported"),
            (replace(spec, seconds=twice), "unsupported_length"),
        ):
            with pytest.raises(SpecRejected) as refused:
                render(backend, wrong)
            assert refused.value.code == code
        return
    [short], _ = render(backend, from_picture)
    [clip], reports = render(backend, replace(from_picture, seconds=twice))
    assert reports == [(done, 4) for done in range(5)]
    assert clip.windows == 2
    each = sizes.native_size(profile, replace(spec, seconds=twice)).frames
    assert clip.count == 2 * each - 1
    assert clip.width / clip.height == pytest.approx(short.width / short.height)


def test_guidance_off_and_no_negative_prompt_render_too(case: Case) -> None:
    backend, _, spec = case
    [plain], _ = render(backend, replace(spec, negative_prompt=""))
    [off], _ = render(backend, replace(spec, guidance=1.0, negative_prompt=""))
    assert abs(pixels_of(plain) - pixels_of(off)).max() > 0


def test_warms_with_what_it_can_make(case: Case) -> None:
    backend, profile, _ = case
    backend.warm()
    said = backend.capability()
    assert said.warm_seconds > 0
    assert said.images == profile.starts_from_pictures

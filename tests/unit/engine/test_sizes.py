"""Sizes and lengths that a model is asked for, and the nearest ones where it is asked for what it cannot make."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generation.backends.diffusers.checkpoints import BUILTIN
from generation.backends.diffusers.families import COGVIDEOX, LTX, MOCHI, WAN, WAN_5B, read_profile
from generation.backends.diffusers.profile import Profile
from generation.backends.diffusers.sizes import check_size, native_size, smallest_size, windows
from generation.errors import SpecRejected
from generation.spec import RenderSpec

SPEC = RenderSpec("a boat", seed=1, width=1280, height=720, seconds=4, fps=24, steps=8, guidance=2.0)


@pytest.mark.parametrize(
    ("profile", "width", "height", "seconds", "native"),
    [
        (WAN, 1280, 720, 4, (848, 480, 65, 1)),
        (WAN, 720, 1280, 5, (480, 848, 81, 1)),
        (WAN, 320, 320, 1, (320, 320, 17, 1)),
        (WAN_5B, 1920, 1080, 5, (1280, 704, 121, 1)),
        (WAN_5B, 1280, 720, 12, (1280, 704, 97, 3)),
        (LTX, 1280, 720, 4, (832, 480, 105, 1)),
        (COGVIDEOX, 1280, 720, 6, (720, 480, 49, 1)),
        (MOCHI, 848, 480, 2, (848, 480, 61, 1)),
    ],
)
def test_is_asked_for_sizes_and_lengths_it_was_trained_near(
    profile: Profile, width: int, height: int, seconds: int, native: tuple[int, int, int, int]
) -> None:
    size = native_size(profile, replace(SPEC, width=width, height=height, seconds=seconds))
    assert (size.width, size.height, size.frames, size.windows) == native
    assert size.frames % profile.frame_step == 1
    assert size.width % profile.size_multiple == size.height % profile.size_multiple == 0


def test_builtin_is_asked_for_its_only_size() -> None:
    size = native_size(read_profile(BUILTIN), replace(SPEC, seconds=2))
    assert (size.width, size.height) == (160, 96)


def test_warming_takes_the_fixed_size_or_the_smallest() -> None:
    assert (smallest_size(WAN_5B).width, smallest_size(WAN_5B).frames) == (64, 5)
    assert (smallest_size(COGVIDEOX).width, smallest_size(COGVIDEOX).height) == (720, 480)


def test_refused_shape_names_the_nearest_sizes_that_work() -> None:
    with pytest.raises(SpecRejected, match=r"The nearest sizes that it fills are .*1280 × 720") as refused:
        check_size(read_profile(BUILTIN), replace(SPEC, width=1280, height=1280))
    assert refused.value.code == "unsupported_size"


def test_refused_odd_size_names_the_even_one() -> None:
    with pytest.raises(SpecRejected, match="nearest is 1280 × 720"):
        check_size(WAN, replace(SPEC, width=1281, height=721))


@pytest.mark.parametrize(
    ("profile", "seconds", "sentence"),
    [
        (WAN, 9, "This model makes clips of 1 to 5 seconds; the nearest to 9 is 5."),
        (WAN_5B, 21, "This model makes clips of 1 to 20 seconds; the nearest to 21 is 20."),
        (WAN_5B, 0, "This model makes clips of 1 to 20 seconds; the nearest to 0 is 1."),
        (
            replace(WAN_5B, window_seconds=(4, 5), seconds=(1, 12)),
            6,
            "This model makes clips of 4 to 5, 8 to 10, 12 seconds; the nearest to 6 is 5 or 8.",
        ),
    ],
)
def test_refused_length_names_the_nearest(profile: Profile, seconds: int, sentence: str) -> None:
    with pytest.raises(SpecRejected) as refused:
        check_size(profile, replace(SPEC, seconds=seconds))
    assert (refused.value.code, refused.value.sentence) == ("unsupported_length", sentence)


def test_refused_number_of_steps_names_those_that_work() -> None:
    with pytest.raises(SpecRejected, match="2 to 1000 steps"):
        check_size(MOCHI, replace(SPEC, steps=1))


def test_one_window_where_a_model_cannot_go_on_from_a_picture() -> None:
    assert windows(WAN, 6) == 0
    assert windows(WAN_5B, 6) == 2
    assert windows(replace(WAN_5B, images=False), 6) == 0
    assert windows(replace(WAN, window_seconds=None), 20) == 1

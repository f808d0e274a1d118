"""The eight scenes. A mood (two numbers from the seed) shifts their hills and waves and warms or cools their light."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from generation.backends.diffusers.training.drawing.canvas import (
    ACROSS,
    HEIGHT,
    WIDTH,
    Field,
    Picture,
    Rgb,
    X,
    Y,
    blend,
    colour,
    gradient,
    paint,
    spot,
    under,
)


class Mood(NamedTuple):
    """What the seed varies in a scene: `phase` in -0.5..0.5 moves outlines, `light` in 0..1 shifts the palette."""

    phase: float
    light: float


class Ridge(NamedTuple):
    """One line of hills: height in pixels, amplitude, waves across the picture (radians), offset, colour."""

    top: float
    swing: float
    waves: float
    offset: float
    rgb: Rgb


def mood(rng: random.Random) -> Mood:
    """A mood drawn evenly."""
    return Mood(rng.uniform(-0.5, 0.5), rng.random())


def draw_scene(name: str, mood: Mood) -> Picture:
    """The empty scene."""
    return _SCENES[name](mood)


def _ridge(ridge: Ridge, shift: float) -> Field:
    curve: Field = ridge.top + ridge.swing * np.sin(ridge.waves * ACROSS + ridge.offset + shift)
    return curve


def _sea(m: Mood) -> Picture:
    day = gradient((0, (126, 176, 196)), (0.3, (214, 214, 196)), (0.56, (250, 212, 170)))
    evening = gradient((0, (244, 178, 150)), (0.56, (252, 226, 186)))
    picture = blend(day, evening, 0.6 * m.light)
    water = under(54.0)
    paint(picture, water, colour((66, 132, 152)))
    paint(picture, water * np.clip((Y - 54) / 42, 0, 1), colour((22, 66, 98)))
    for row in range(5):
        crest = 59 + row * 8 + 1.2 * np.sin(X * 0.09 + row * 2 + 3 * m.phase)
        glint = 0.5 + 0.5 * np.sin(X * 0.05 + row * 1.7 + 4 * m.phase)
        paint(picture, water * 0.35 * np.exp(-(((Y - crest) / 1.2) ** 2)) * glint, colour((232, 226, 200)))
    return picture


def _night(m: Mood) -> Picture:
    picture = gradient((0, (12, 18, 48)), (0.6, (34, 46, 96)), (1, (74, 74, 128)))
    picture = blend(picture, picture * colour((300, 230, 240)), 0.5 * m.light)
    for star in range(22):
        x, y = (star * 61 + 13) % 157 + 2, (star * 37 + 7) % 70 + 3
        paint(picture, 0.9 * spot(x, y, 1.3 + 0.5 * (star % 3)), colour((246, 238, 214)))
    far = 80 + 5 * np.sin(4.2 * ACROSS + 3 * m.phase) + 2 * np.sin(9 * ACROSS)
    paint(picture, under(far), colour((24, 28, 60)))
    paint(picture, under(88 + 4 * np.sin(5.5 * ACROSS + 2 + 2 * m.phase)), colour((12, 14, 36)))
    return picture


def _dunes(m: Mood) -> Picture:
    warm = gradient((0, (246, 196, 150)), (0.6, (252, 228, 190)))
    cool = gradient((0, (150, 190, 200)), (0.6, (250, 226, 192)))
    picture = blend(warm, cool, 0.7 * m.light)
    ridges = (
        Ridge(52, 5, 5.0, 0.3, (228, 170, 112)),
        Ridge(63, 7, 4.2, 2.2, (214, 140, 84)),
        Ridge(77, 7, 5.2, 4.0, (184, 104, 62)),
    )
    for ridge in ridges:
        paint(picture, under(_ridge(ridge, 1.2 * m.phase)), colour(ridge.rgb))
    return picture


def _meadow(m: Mood) -> Picture:
    noon = gradient((0, (140, 196, 222)), (0.55, (232, 240, 224)))
    evening = gradient((0, (236, 214, 160)), (0.55, (248, 238, 208)))
    picture = blend(noon, evening, 0.6 * m.light)
    ridges = (
        (Ridge(54, 4, 5.0, 0.3, (146, 182, 104)), (162, 194, 116)),
        (Ridge(65, 6, 3.8, 1.2, (104, 156, 80)), (120, 168, 90)),
        (Ridge(79, 6, 4.6, 3.4, (62, 118, 66)), (76, 132, 74)),
    )
    for ridge, stripes in ridges:
        field = under(_ridge(ridge, 1.2 * m.phase))
        paint(picture, field, colour(ridge.rgb))
        furrows = 0.5 + 0.5 * np.sin((X * 0.5 + (Y - ridge.top) * 1.1) * 0.35)
        paint(picture, field * furrows, colour(stripes))
    return picture


def _underwater(m: Mood) -> Picture:
    picture = gradient((0, (128, 214, 204)), (0.4, (38, 140, 150)), (1, (8, 54, 84)))
    for beam in range(3):
        slant = (X - 30 - 48 * beam - Y * 0.35 - 8 * m.phase) / (7 + Y * 0.08)
        paint(picture, 0.22 * np.clip(1 - Y / 85, 0, 1) * np.exp(-(slant**2)), colour((226, 255, 240)))
    kelp = ((8, 44), (24, 62), (47, 72), (113, 70), (138, 52), (152, 38))
    for stem, (x, top) in enumerate(kelp):
        sway = 3 * np.sin(Y * 0.13 + stem + 2 * m.phase)
        paint(picture, under(top, 6) * np.clip(2.4 - np.abs(X - x - sway), 0, 1), colour((10, 66, 66)))
    paint(picture, under(88 + 3 * np.sin(6 * ACROSS + 2 * m.phase), 3), colour((8, 42, 62)))
    return picture


def _city(m: Mood) -> Picture:
    purple = gradient((0, (84, 62, 128)), (0.35, (190, 98, 130)), (0.75, (250, 176, 112)))
    blue = gradient((0, (48, 66, 120)), (0.75, (236, 160, 140)))
    picture = blend(purple, blue, 0.6 * m.light)
    near = (74, 64, 78, 60, 72, 68, 80, 62, 76, 70)
    rows: tuple[tuple[Rgb, tuple[int, ...], int, int], ...] = (
        ((104, 70, 118), (60, 52, 64, 48, 58, 66, 50, 56), 20, 0),
        ((40, 32, 66), near, 16, 7),
    )
    for rgb, roofs, house, offset in rows:
        houses = (np.arange(WIDTH) + offset) // house % len(roofs)
        paint(picture, under(np.array(roofs, np.float32)[houses][None], 1), colour(rgb))
    for window in range(30):
        house, column = divmod(window, 3)
        x, y = house * 16 - 3 + column * 4, near[house] + 6 + (window * 5 % 3) * 5
        pane = np.clip(2 - np.maximum(np.abs(X - x) * 1.2, np.abs(Y - y)), 0, 1)
        paint(picture, 0.85 * pane, colour((252, 214, 120)))
    return picture


def _snow(m: Mood) -> Picture:
    cold = gradient((0, (150, 172, 204)), (0.6, (226, 226, 236)))
    rose = gradient((0, (196, 168, 196)), (0.6, (248, 220, 214)))
    picture = blend(cold, rose, 0.7 * m.light)
    paint(picture, under(52 + 8 * np.abs(np.sin(5 * ACROSS + 0.6 * m.phase)), 1.5), colour((172, 188, 214)))
    paint(picture, under(66 + 5 * np.sin(4 * ACROSS + 1 + m.phase)), colour((224, 232, 242)))
    for x, foot in ((10, 76), (22, 80), (34, 74), (112, 78), (126, 74), (140, 80), (152, 75)):
        fir = np.maximum(np.abs(X - x) * 2.2 - (Y - foot + 14), Y - foot)
        paint(picture, np.clip(1.5 - fir, 0, 1), colour((52, 84, 92)))
    paint(picture, under(82 + 4 * np.sin(5 * ACROSS + 3 + m.phase)), colour((246, 248, 250)))
    return picture


def _paper(m: Mood) -> Picture:
    picture = gradient((0, (244, 234, 212)), (1, (232, 218, 190)))
    picture = blend(picture, picture * colour((250, 250, 262)), 0.8 * m.light)
    edge = (ACROSS - 0.5) ** 2 + (Y / HEIGHT - 0.5) ** 2
    paint(picture, 0.22 * np.clip(edge * 2.2 - 0.2, 0, 1), colour((150, 110, 80)))
    return picture


_SCENES: dict[str, Callable[[Mood], Picture]] = {
    "sea": _sea,
    "night": _night,
    "dunes": _dunes,
    "meadow": _meadow,
    "underwater": _underwater,
    "city": _city,
    "snow": _snow,
    "paper": _paper,
}

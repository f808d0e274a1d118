"""A whole clip: the scene, and in each frame the subject with a soft rim of light and, at sea, its reflection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generation.backends.diffusers.training.drawing.canvas import (
    FRAMES,
    HEIGHT,
    WIDTH,
    Picture,
    X,
    Y,
    colour,
    paint,
)
from generation.backends.diffusers.training.drawing.paths import Start, path
from generation.backends.diffusers.training.drawing.scenes import Mood, draw_scene
from generation.backends.diffusers.training.drawing.subjects import draw_parts, outline
from generation.backends.diffusers.training.words import COLOURS
from generation.backends.diffusers.training.world import Facts

_WITH_A_BOW = ("fish", "boat", "whale")
_LIGHT, _DARK, _RIM = colour((255, 250, 236)), colour((24, 22, 38)), colour((255, 248, 230))


def draw_clip(
    facts: Facts, mood: Mood, start: Start | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Frames x 96 x 160 x 3 in 0..1, and the subject's mask, frames x 96 x 160.

    With a `start`, size and place of the first frame are its own, not those of the words.
    """
    frames = np.repeat(draw_scene(facts.scene, mood)[None], FRAMES, 0)
    masks = np.zeros((FRAMES, HEIGHT, WIDTH), np.float32)
    way = path(facts, start)
    for frame, mask, x, y, radius in zip(frames, masks, way.x, way.y, way.radius, strict=True):
        _draw_subject(frame, mask, facts, float(x), float(y), float(radius))
        if facts.scene == "sea" and y < 60:
            _draw_reflection(frame, facts, float(x), float(radius))
    return np.clip(frames, 0, 1), masks


def cells(masks: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """The share of each size x size cell that the subject covers: frames x rows x columns."""
    count = len(masks)
    shares: NDArray[np.float32] = masks.reshape(count, HEIGHT // size, size, WIDTH // size, size).mean((2, 4))
    return shares


def _draw_subject(
    frame: Picture, mask: NDArray[np.float32], facts: Facts, cx: float, cy: float, radius: float
) -> None:
    rows, columns = _window(cx, cy, radius * 1.25 + 8)
    part_of_frame = frame[rows, columns]
    x, y = (X[:, columns] - cx) / radius, (Y[rows] - cy) / radius
    if facts.motion == "left" and facts.subject in _WITH_A_BOW:
        x = -x
    x, y = np.broadcast_arrays(x, y)
    parts = draw_parts(facts.subject, x, y)
    beyond = np.clip(outline(facts.subject, parts) * radius, 0, None)
    paint(part_of_frame, 0.42 * np.exp(-(beyond**2) / 9), _RIM)
    base = colour(COLOURS[facts.colour])
    for part in parts:
        cover = np.clip(0.5 - part.distance * radius / 1.6, 0, 1)
        towards = _LIGHT if part.tone > 0 else _DARK
        paint(part_of_frame, cover, base + (towards - base) * np.float32(abs(part.tone)))
        np.maximum(mask[rows, columns], cover, out=mask[rows, columns])


def _draw_reflection(frame: Picture, facts: Facts, cx: float, radius: float) -> None:
    rows, columns = slice(64, 92), _window(cx, 0, 30)[1]
    x, y = X[:, columns], Y[rows]
    glow = np.exp(-(((x - cx) / (radius * 0.7)) ** 2) - ((y - 78) / 9) ** 2)
    paint(frame[rows, columns], 0.3 * glow * (0.6 + 0.4 * np.sin(y * 1.6)), colour(COLOURS[facts.colour]))


def _window(cx: float, cy: float, reach: float) -> tuple[slice, slice]:
    rows = slice(max(0, int(cy - reach)), min(HEIGHT, int(cy + reach)))
    return rows, slice(max(0, int(cx - reach)), min(WIDTH, int(cx + reach)))

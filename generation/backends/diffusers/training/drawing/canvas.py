"""The pixel grid and the few strokes that every scene and subject is made of."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

HEIGHT: Final = 96
WIDTH: Final = 160
FRAMES: Final = 16

Field: TypeAlias = NDArray[np.floating]  # height x width, or anything that broadcasts to it
Picture: TypeAlias = NDArray[np.floating]  # height x width x 3 in 0..1
Rgb: TypeAlias = tuple[int, int, int]

Y: Final[Field] = np.arange(HEIGHT, dtype=np.float32)[:, None] + 0.5
X: Final[Field] = np.arange(WIDTH, dtype=np.float32)[None, :] + 0.5
ACROSS: Final[Field] = X / WIDTH


def colour(rgb: Rgb) -> Picture:
    """0..255 to 0..1."""
    return np.array(rgb, np.float32) / 255


def blend(a: Picture, b: Picture, share: float) -> Picture:
    """`a` at share 0, `b` at share 1."""
    mixed: Picture = a + (b - a) * np.float32(share)
    return mixed


def gradient(*stops: tuple[float, Rgb]) -> Picture:
    """A vertical gradient through (height from the top in 0..1, colour)."""
    at = [position * HEIGHT for position, _ in stops]
    rows = np.arange(HEIGHT) + 0.5
    channels = [np.interp(rows, at, [rgb[k] / 255 for _, rgb in stops]) for k in range(3)]
    column = np.stack(channels, -1).astype(np.float32)
    return np.repeat(column[:, None], WIDTH, 1)


def paint(picture: Picture, cover: Field, rgb: Picture) -> None:
    """Lays `rgb` over the picture where `cover` (0..1) says so; in place."""
    picture += cover[..., None] * (rgb - picture)


def under(curve: Field | float, softness: float = 1.2) -> Field:
    """1 below the curve (y as a function of x, in pixels), 0 above, with a soft edge."""
    cover: Field = np.clip((Y - curve) / softness + 0.5, 0, 1) * np.ones_like(X)
    return cover


def spot(x: float, y: float, spread: float) -> Field:
    """A round light of height 1."""
    light: Field = np.exp(-((X - x) ** 2 + (Y - y) ** 2) / np.float32(spread))
    return light

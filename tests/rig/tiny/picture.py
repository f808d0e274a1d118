"""A picture to start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pictures


def save_picture(folder: Path, *, width: int = 120, height: int = 90, seed: int = 0) -> Path:
    """Coloured noise, as a PNG."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    file = folder / f"picture-{seed}.png"
    Pictures.fromarray(pixels).save(file)
    return file

"""Pictures that a clip starts from: read, told from what is none, and cut to the size that a model works in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image as Pictures
from PIL import ImageOps, UnidentifiedImageError

from generation.errors import SpecRejected
from generation.spec import Image

_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_MOST_PIXELS: Final = 50_000_000  # larger ones are refused by their header, before they fill the memory


def check_picture(path: Path) -> None:
    """Raises SpecRejected (`image_unreadable`, `image_too_large`) by the file's header; decodes nothing."""
    with _open(path):
        pass


def fit_picture(path: Path, *, width: int, height: int) -> Image:
    """The picture upright, scaled until it covers width x height, what sticks out cut away on both sides alike."""
    with _open(path) as picture:
        try:
            upright = ImageOps.exif_transpose(picture)
            fitted = ImageOps.fit(upright.convert("RGB"), (width, height), Pictures.Resampling.LANCZOS)
        except (
            OSError,
            SyntaxError,
            ValueError,
        ) as fault:  # what Pillow raises for a file that ends too early
            raise _unreadable() from fault
    return np.asarray(fitted)


def _open(path: Path) -> Pictures.Image:
    try:
        picture = Pictures.open(path, formats=_FORMATS)
    except (
        OSError,
        SyntaxError,
        ValueError,
        UnidentifiedImageError,
        Pictures.DecompressionBombError,
    ) as fault:
        raise _unreadable() from fault
    if picture.width * picture.height > _MOST_PIXELS:
        picture.close()
        raise SpecRejected("image_too_large", "A picture to start from has at most 50 million pixels.")
    return picture


def _unreadable() -> SpecRejected:
    return SpecRejected(
        "image_unreadable", "The picture to start from is no readable PNG, JPEG or WebP file."
    )

"""What is drawn into every frame of one copy, in this order: the visible mark, and under all of it the forensic one."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.forensic.code import code_of
from generation.forensic.embed import Embedder
from generation.media.plan import Size
from generation.media.visible import VisibleMarker
from generation.spec import CopyMark, Image


class Marker:
    """Marks raw yuv420p frames of one copy, in place and in order."""

    def __init__(self, mark: CopyMark | None, *, size: Size, fps: int) -> None:
        width, height = size
        self._height = height
        self._visible = self._forensic = None
        if mark is not None:
            self._visible = VisibleMarker(
                mark.visible,
                mark.style,
                width=width,
                height=height,
                fps=fps,
                schedule_key=_schedule_key(mark),
            )
            if mark.forensic is not None:
                self._forensic = Embedder(
                    code_of(mark.forensic.key),
                    mark.forensic.number,
                    clip=mark.visible.code,
                    width=width,
                    height=height,
                    fps=fps,
                )

    def settled(self, index: int) -> bool:
        """Whether the visible mark stands in one place in that frame, not on its way between two."""
        return self._visible is None or self._visible.settled(index)

    def apply(self, frame: NDArray[np.uint8], index: int) -> None:
        """`frame` is (height * 3 // 2) x width, limited range; `index` counts from 0."""
        if self._visible is not None:
            self._visible.apply(frame, index)
        if self._forensic is not None:
            self._forensic.apply(frame[: self._height], index)


def marked(image: Image, mark: CopyMark) -> Image:
    """One picture with the marks of a copy, at its own size."""
    height, width = image.shape[:2]
    even = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    frame = np.asarray(cv2.cvtColor(even, cv2.COLOR_RGB2YUV_I420), np.uint8)
    Marker(mark, size=(even.shape[1], even.shape[0]), fps=1).apply(frame, 0)
    return np.ascontiguousarray(cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420)[:height, :width], np.uint8)


def _schedule_key(mark: CopyMark) -> bytes:
    """Where the visible mark goes: another way in each copy, that nobody without the key can foresee."""
    if mark.forensic is None:
        return hashlib.sha256(mark.visible.code.encode()).digest()
    return hashlib.sha256(mark.forensic.key + mark.forensic.number.to_bytes(4, "big")).digest()

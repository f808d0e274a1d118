"""Bringing residuals back to the canonical picture under one guess of what was done to it, and adding up its tiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.forensic.code import LINES, TILE, Floats

_CHANNELS: Final = 4  # that OpenCV turns at once
_SMALLEST: Final = 200  # lines of the coarsest level


@dataclass(frozen=True, slots=True)
class Fit:
    """One guess: canonical pixels for each pixel of the file, across and down, beside those of an untouched file
    (1.0 each); turned by so many radians; mirrored; slanted, and seen from the side: by how much everything is smaller
    at the right and at the lower edge than in the middle."""

    across: float = 1.0
    down: float = 1.0
    turn: float = 0.0
    mirrored: bool = False
    slant: float = 0.0
    rightwards: float = 0.0
    downwards: float = 0.0


class Pictures:
    """G pictures of one size, height x width, at several sizes, each half of the one before."""

    def __init__(self, pictures: Sequence[Floats]) -> None:
        parts = [_merged(pictures[at : at + _CHANNELS]) for at in range(0, len(pictures), _CHANNELS)]
        self._fill(parts, LINES / min(pictures[0].shape))

    def part(self, top: int, left: int, bottom: int, right: int) -> Pictures:
        """A part of every picture, at the scale of the whole."""
        made = object.__new__(Pictures)
        made._fill([np.ascontiguousarray(part[top:bottom, left:right]) for part in self.levels[0]], self.base)
        return made

    def _fill(self, parts: list[Floats], base: float) -> None:
        self.levels, self.base = [parts], base
        self.count = sum(part.shape[2] for part in parts)
        while min(self.levels[-1][0].shape[:2]) > _SMALLEST:
            self.levels.append([_halved(part) for part in self.levels[-1]])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.levels[0][0].shape[:2]
        return height, width

    def fold(self, fit: Fit, *, halved: bool = False, fine: bool = False) -> Floats:
        """G x side x side: of each picture all tiles added up, after the guess is undone.

        The side is the tile's, 128, or half of it where half the resolution is enough.
        """
        side, share = (TILE // 2, 0.5) if halved else (TILE, 1.0)
        across, down = self.base * fit.across * share, self.base * fit.down * share
        level = 0
        while level + 1 < len(self.levels) and max(across, down) * 2 ** (level + 1) <= 1.05:
            level += 1
        height, width = self.levels[0][0].shape[:2]
        rows, columns = max(16, round(height * down)), max(16, round(width * across))
        matrix = _matrix(fit, across * 2**level, down * 2**level)
        source = self.levels[level]
        near = np.array([(source[0].shape[1] - 1) / 2, (source[0].shape[0] - 1) / 2])
        offset = near - matrix @ [(columns - 1) / 2, (rows - 1) / 2]
        canvas = (-(-columns // side) * side, -(-rows // side) * side)
        kind = cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if fine else cv2.INTER_LINEAR)
        moved = np.column_stack([matrix, offset])
        far = np.array([fit.rightwards * 2 / columns, fit.downwards * 2 / rows])
        middle = np.array([(columns - 1) / 2, (rows - 1) / 2])
        folded = np.empty((self.count, side, side), np.float32)
        for number, part in enumerate(source):
            at = number * _CHANNELS
            if far.any():
                image = cv2.warpPerspective(part, _seen_from(moved, far, middle), canvas, flags=kind)
            else:
                image = cv2.warpAffine(part, moved, canvas, flags=kind)
            folded[at : at + _CHANNELS] = _added(image, side)
        return folded


def _matrix(fit: Fit, across: float, down: float) -> NDArray[np.float64]:
    """From canonical pixels to the file's."""
    c, s = math.cos(fit.turn), math.sin(fit.turn)
    matrix = np.array([[c / across, (fit.slant * c - s) / across], [s / down, (fit.slant * s + c) / down]])
    if fit.mirrored:
        matrix[0] = -matrix[0]
    return matrix


def _seen_from(
    moved: NDArray[np.float64], far: NDArray[np.float64], middle: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The same, where what is far from the middle is smaller."""
    denominator = np.array([*far, 1 - far @ middle])
    near = moved[:, :2] @ middle + moved[:, 2]  # the middle stays where it is
    top = np.column_stack([moved[:, :2], -moved[:, :2] @ middle]) + np.outer(near, denominator)
    return np.vstack([top, denominator])


def _merged(pictures: Sequence[Floats]) -> Floats:
    return np.asarray(cv2.merge(list(pictures)), np.float32).reshape(*pictures[0].shape, len(pictures))


def _halved(picture: Floats) -> Floats:
    smaller = np.asarray(cv2.pyrDown(picture), np.float32)
    return smaller.reshape(*smaller.shape[:2], picture.shape[2])


def _added(image: NDArray[Any], side: int) -> Floats:
    """Channels x side x side."""
    rows, columns = image.shape[0] // side, image.shape[1] // side
    tiles = image.reshape(rows, side, columns, side, -1)
    return np.asarray(tiles.sum(axis=(0, 2)).transpose(2, 0, 1), np.float32)

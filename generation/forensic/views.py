"""What of a file is searched: all of its pictures or a part of them, turned or not. The same for every key."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.forensic.code import Floats, Spectrum
from generation.forensic.geometry import Fit, Pictures
from generation.forensic.residual import Residuals
from generation.forensic.sync import spectra

_SEARCHED: Final = 8  # pictures that every guess is tried on
_KEPT: Final = 4  # geometries of some 14 MB
_FEW: Final = 4  # pictures: of fewer a mean says nothing


class View:
    """All pictures, made when they are first read, and the few that every guess is tried on; `quarters` tells which
    pictures lie near each other in time, `keys` which were coded by themselves."""

    def __init__(
        self,
        pictures: Callable[[], Pictures],
        few: Pictures,
        quarters: NDArray[np.int64],
        keys: NDArray[np.int64],
        *,
        turns: int = 0,
        zoomed: dict[Fit, Floats] | None = None,
    ) -> None:
        self._make, self.few, self.quarters, self.keys = pictures, few, quarters, keys
        self._turns, self._zoomed = turns, {} if zoomed is None else zoomed
        self._spectra: dict[Fit, Spectrum] = {}

    @cached_property
    def pictures(self) -> Pictures:
        return self._make()

    def spectra(self, fit: Fit) -> Spectrum:
        """Of all pictures folded, and of their `variants`: G x all frequencies. The last ones are kept, for other keys
        and the controls ask for the same."""
        if fit not in self._spectra:
            while len(self._spectra) >= _KEPT:
                del self._spectra[next(iter(self._spectra))]
            folded = self._turned(self.pictures.fold(fit, fine=True))
            self._spectra[fit] = spectra(variants(folded, self.quarters))
        return self._spectra[fit]

    def glance(self, fit: Fit) -> Floats:
        """The few, G x 128 x 128."""
        return self._turned(self.few.fold(fit))

    def coarse(self, fit: Fit) -> Floats:
        """The few at half the resolution, G x 64 x 64. Plain zooms are kept: every key and turn asks for them."""
        if fit != Fit(fit.across, fit.across):
            return self._turned(self.few.fold(fit, halved=True))
        if fit not in self._zoomed:
            self._zoomed[fit] = self.few.fold(fit, halved=True)
        return self._turned(self._zoomed[fit])

    def turned(self, turns: int) -> View:
        """By so many right angles."""
        return View(
            lambda: self.pictures, self.few, self.quarters, self.keys, turns=turns, zoomed=self._zoomed
        )

    def part(self, top: float, left: float, share: float) -> View:
        """Where a part begins and how much of each side it has, in shares."""
        height, width = self.few.size
        first, begin = round(top * height), round(left * width)
        box = (first, begin, first + round(share * height), begin + round(share * width))
        return View(lambda: self.pictures.part(*box), self.few.part(*box), self.quarters, self.keys)

    def _turned(self, folded: Floats) -> Floats:
        """Where the tiles are turned the picture is, and where they stand is looked for anyway."""
        return np.rot90(folded, self._turns, axes=(1, 2)) if self._turns else folded


class Material:
    """The whole picture and, where much stands still around it, the part that moves, which has that share of it."""

    def __init__(self, found: Residuals) -> None:
        self.whole = _view(found)
        self.moving = _view(found.moving) if found.moving else None
        self.share = found.share


def _view(found: Residuals) -> View:
    few, keys = Pictures(_chosen(found)), np.flatnonzero(found.whole)
    return View(lambda: Pictures(found.images), few, found.quarters, keys)


def _chosen(found: Residuals) -> list[Floats]:
    """Frames coded by themselves, and means of quarters of a second, spread over the file."""
    whole = _spread(np.flatnonzero(found.whole), _SEARCHED // 2)
    quarters = _spread(np.unique(found.quarters), _SEARCHED - len(whole))
    members = [np.flatnonzero(found.quarters == quarter) for quarter in quarters]
    means = [sum(found.images[index] for index in those) / np.float32(len(those)) for those in members]
    return [*(found.images[index] for index in whole), *(np.asarray(mean, np.float32) for mean in means)]


def _spread(which: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    picks = np.linspace(0, len(which) - 1, min(len(which), most)).round().astype(int)
    return np.asarray(which[np.unique(picks)], np.int64)


def variants(folded: Floats, quarters: NDArray[np.int64] | None = None) -> Floats:
    """What is listened to: the folded pictures, the means of what lies near each other in time; what sets each mean
    apart from all, where the picture stands still; and the mean of all, where an encoder has not renewed what does."""
    if len(folded) < _FEW:
        return folded
    means = folded
    if quarters is not None:
        sums = np.zeros((int(quarters.max()) + 1, *folded.shape[1:]), np.float32)
        np.add.at(sums, quarters, folded)
        means = np.asarray(sums / np.bincount(quarters)[:, None, None], np.float32)
    mean = means.mean(axis=0, keepdims=True)
    return np.concatenate([folded, *([means] if quarters is not None else []), means - mean, mean])

"""Finding the tile: correlation with the key's synchronisation pattern, over every place at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from generation.forensic.code import HIGHEST, RINGS, TILE, Code, Floats, Spectrum

_COARSE: Final = 24.0  # cycles per tile: what half the resolution carries well
_OUTLIER: Final = 1.8
_HEARD: Final = 2.2  # standard deviations: what is below says nothing of a place


class Ear:
    """Listens for one key in folded tiles of one size: 128, or 64 with the coarse rings alone."""

    def __init__(self, code: Code, *, halved: bool = False) -> None:
        self.code, self.side = code, TILE // 2 if halved else TILE
        n, highest = code.n_sync, _COARSE if halved else HIGHEST
        self._sync = _Bins(code, np.flatnonzero(code.radius[:n] <= highest), self.side)
        self._all = _Bins(code, np.arange(len(code.radius)), self.side)
        rows, columns = np.divmod(self._sync.flat, self.side // 2 + 1)
        self._wide = int(columns.max()) + 1
        self._narrow = rows * self._wide + columns
        self._pattern = np.conj(code.sync[self._sync.which])
        shifts = code.shifts // (TILE // self.side)
        places = np.zeros((self.side, self.side), np.float32)
        np.add.at(places, (shifts[:, 0], shifts[:, 1]), 1.0)
        self._places = np.conj(fft.rfft2(places))

    def payload(self, spectra: Spectrum) -> Spectrum:
        """G x all bins of the key, in its order, whitened: those of the pattern come first."""
        return self._all.whitened(spectra)

    def matched(self, spectra: Spectrum, *, mirrored: bool = False) -> Spectrum:
        """G x the pattern's bins, whitened, the pattern taken out: what is left are the tile's places as waves.

        `mirrored` listens for the mirrored tile in the same spectra.
        """
        return np.asarray(self._sync.whitened(spectra, mirrored=mirrored) * self._pattern, np.complex64)

    def maps(self, matched: Spectrum) -> Floats:
        """G x side x side: how well the pattern fits when it is moved there, in standard deviations."""
        # Columns beyond the pattern's highest frequency are empty: the first half of the transform leaves them out.
        waves = np.zeros((len(matched), self.side * self._wide), np.complex64)
        waves[:, self._narrow] = matched
        columns = fft.ifft(waves.reshape(-1, self.side, self._wide), axis=1, norm="forward")
        fits = fft.irfft(columns, self.side, axis=2, norm="forward")
        spread = np.sqrt((matched.real**2 + matched.imag**2).sum(1) / 2 + 1e-9)
        return np.asarray(fits / (2 * spread[:, None, None]), np.float32)

    def votes(self, maps: Floats) -> Floats:
        """Side x side: how much speaks for the tile standing there when it is not shifted.

        What is heard in any picture counts at each of the sixteen places that its tile may have been shifted from.
        """
        heard = np.square(np.maximum(maps - _HEARD, 0)).sum(0)
        return np.asarray(fft.irfft2(fft.rfft2(heard) * self._places, (self.side, self.side)), np.float32)

    def origin(self, maps: Floats) -> tuple[int, int]:
        """The place that most speaks for."""
        down, right = divmod(int(self.votes(maps).argmax()), self.side)
        return down, right

    def vote(self, spectra: Spectrum, *, mirrored: bool = False) -> float:
        """How much speaks for the tile being there, anywhere."""
        return float(self.votes(self.maps(self.matched(spectra, mirrored=mirrored))).max())


def spectra(folded: Floats) -> Spectrum:
    """G x all frequencies, of G folded tiles. The same for every key."""
    return np.asarray(fft.rfft2(folded).reshape(len(folded), -1), np.complex64)


class _Bins:
    """Some bins of the key's, in its order, among the frequencies of a tile of that side."""

    def __init__(self, code: Code, which: NDArray[np.int64], side: int) -> None:
        self.which = which
        ky, kx, self._ring = code.ky[which], code.kx[which], code.ring[which]
        self.flat = (ky % side) * (side // 2 + 1) + kx
        self._opposite = (-ky % side) * (side // 2 + 1) + kx
        order = np.argsort(self._ring, kind="stable")
        self._order, self._sizes = order, np.bincount(self._ring, minlength=RINGS)
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])

    def whitened(self, spectra: Spectrum, *, mirrored: bool = False) -> Spectrum:
        """Each ring at power 1, outliers limited, so that no line or edge of the picture speaks alone."""
        values = np.conj(spectra[:, self._opposite]) if mirrored else spectra[:, self.flat]
        power = values.real**2 + values.imag**2
        known = self._sizes > 0
        rings = np.ones((len(values), RINGS), np.float32)
        rings[:, known] = np.add.reduceat(power[:, self._order], self._starts[known], axis=1)
        rings[:, known] = rings[:, known] / self._sizes[known] + 1e-9
        scale = rings[:, self._ring] ** -0.5
        size = np.sqrt(power) * scale
        return np.asarray(values * (scale * np.minimum(1, _OUTLIER / np.maximum(size, 1e-6))), np.complex64)

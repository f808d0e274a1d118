"""From pictures and a geometry to scores of numbers.

The code rows that carry a number do not depend on the picture, and nothing here looks at them before the last step. So
for a number that is *not* in the file the score z is a weighted sum of random signs of unit norm, and Hoeffding's
inequality gives P(z >= t) <= exp(-t^2 / 2), whatever the clip and whatever was done to it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.forensic.code import RINGS, TILE, Code, Floats, Spectrum
from generation.forensic.geometry import Fit
from generation.forensic.reed_solomon import DATA, INFORMATION_SETS, SYMBOLS, Words, completed
from generation.forensic.sync import Ear
from generation.forensic.views import View

_CREDIBLE: Final = 2.2  # standard deviations: a place that is heard less adds nothing
_PLACES: Final = np.arange(SYMBOLS)
_AROUND: Final = tuple(itertools.product((0, -1, 1), repeat=2))
_MOST_COPIES: Final = 8
_SAME: Final = 0.01  # of z: the same word, added up in another order


@dataclass(frozen=True, slots=True)
class Signal:
    """What the payload bins said under one geometry: 8 x `dims`, each ring weighted by how well the synchronisation
    pattern came through there; `sync` is how surely that was found, in standard deviations, `aligned` the pattern's
    bins, all pictures added up, the pattern taken out."""

    values: Floats
    sync: float
    view: View
    fit: Fit
    aligned: Spectrum

    def table(self, code: Code) -> Table:
        """The scores of all symbols."""
        return Table(self.values, code.book)


class Table:
    """8 x 256 scores of the symbols; a codeword's z is the sum of its eight."""

    def __init__(self, values: Floats, book: NDArray[np.int8]) -> None:
        self._values = values / math.sqrt(float((values**2).sum()) + 1e-12)
        self._book = book
        self.scores = np.einsum("kvd,kd->kv", book, self._values, dtype=np.float32)

    def z(self, words: Words) -> Floats:
        """Of N x 8 codewords."""
        return np.asarray(self.scores[_PLACES, words].sum(axis=-1), np.float32)

    def most(self) -> float:
        """No codeword has a higher z."""
        return float(self.scores.max(axis=1).sum())

    def without(self, word: Words) -> Table:
        """What is left to be said when all that speaks for this word has been taken out."""
        rows = self._book[_PLACES, word].astype(np.float32)
        shares = (rows * self._values).sum(axis=1, keepdims=True) / rows.shape[1]
        return Table(self._values - shares * rows, self._book)


def read(view: View, fit: Fit, ear: Ear) -> list[Signal]:
    """What is in all pictures under one geometry, for each place where the tile may stand. `ear` listens at full
    resolution."""
    spectra = view.spectra(fit)
    maps, whitened = ear.maps(ear.matched(spectra)), ear.payload(spectra)
    groups = _groups(view, view.pictures.count, len(spectra))
    origins = dict.fromkeys(ear.origin(maps if group is None else maps[group]) for group in groups)
    return [_signal(whitened, origin, view, fit, ear.code) for origin in origins]


def _groups(view: View, pictures: int, heard: int) -> list[NDArray[np.int64] | None]:
    """Who is asked where the tile stands: all; the means alone, for in frames that an encoder only carried on the same
    chance speaks again and again; what was coded by itself and what sets each mean apart."""
    if heard == pictures:
        return [None]
    apart = np.arange(heard - 1 - (heard - 1 - pictures) // 2, heard - 1)
    return [None, np.arange(pictures, heard), np.concatenate([view.keys, apart])]


def _signal(whitened: Spectrum, origin: tuple[int, int], view: View, fit: Fit, code: Code) -> Signal:
    together, sync = _together(whitened, code, origin)
    weighted = (together * _ring_weights(together, code)[code.ring])[code.n_sync :]
    flat = np.stack([weighted.real, weighted.imag], axis=1).astype(np.float32).ravel()
    values = flat[: SYMBOLS * code.dims].reshape(SYMBOLS, code.dims)
    aligned = np.asarray(together[: code.n_sync] * np.conj(code.sync), np.complex64)
    return Signal(values / math.sqrt(float((values**2).sum()) + 1e-12), sync, view, fit, aligned)


def _together(whitened: Spectrum, code: Code, origin: tuple[int, int]) -> tuple[Spectrum, float]:
    """All pictures added up, each moved back from wherever its tile is heard, and the sync of the sum.

    A tile may be heard at several places of one picture: an encoder that saves leaves parts as they were.
    """
    waves = np.stack([code.ky, code.kx]).astype(np.float32) * np.float32(2 * np.pi / TILE)
    n = code.n_sync
    matched = whitened[:, :n] * np.conj(code.sync)
    spread = np.sqrt((matched.real**2 + matched.imag**2).sum(1) / 2 + 1e-9)[:, None]
    shifts = np.exp(1j * ((code.shifts + np.array(origin)) @ waves)).astype(np.complex64)

    def listened(offset: NDArray[np.float32]) -> tuple[float, Floats, Spectrum]:
        moved = shifts * np.exp(1j * (offset @ waves)).astype(np.complex64)
        heard = np.maximum((matched @ moved[:, :n].T).real / spread - _CREDIBLE, 0)
        return float((heard**2).sum()), heard, moved

    offset = np.zeros(2, np.float32)
    for step in (0.5, 0.25):
        around = [offset + step * np.array(way, np.float32) for way in _AROUND]
        offset = max(around, key=lambda place: listened(place)[0])
    _, heard, moved = listened(offset)
    together = np.asarray(((heard.T @ whitened) * moved).sum(axis=0), np.complex64)
    agreement = (together[:n] * np.conj(code.sync)).real
    spread_all = math.sqrt(float((np.abs(together[:n]) ** 2).sum()) + 1e-12)
    return together, float(agreement.sum()) / spread_all


def _ring_weights(together: Spectrum, code: Code) -> Floats:
    """How well the pattern came through in each ring, told by its own bins alone. A ring may have been turned into
    its opposite, by somebody who took away too much: then its weight is negative."""
    n = code.n_sync
    hits = np.bincount(code.ring[:n], (together[:n] * np.conj(code.sync)).real, RINGS)
    means = hits / np.maximum(1, np.bincount(code.ring[:n], minlength=RINGS))
    smooth = np.convolve(np.pad(means, 1, "edge"), [0.25, 0.5, 0.25], "valid")
    return (smooth / max(float(np.abs(smooth).max()), 1e-9)).astype(np.float32)


def copies(table: Table, words: Words, *, least: float, surely: float) -> tuple[list[tuple[int, float]], int]:
    """Which of the words are in the file, as index and z, the strongest first; several where copies were mixed. And how
    many others are: words that are not among these, from z `surely`.

    Relatives of a number that is there share up to three of its eight symbols and seem to be there too, with three
    eighths of its z. So what is there is taken out before the next is looked for, whether it was issued or not.
    """
    found: list[tuple[int, float]] = []
    strangers = 0
    while len(found) + strangers < _MOST_COPIES:
        z = table.z(words)
        best, issued = (int(z.argmax()), float(z.max())) if len(z) else (0, 0.0)
        word, any_z = blind(table) if table.most() >= surely else (None, 0.0)
        if word is not None and any_z >= max(surely, issued + _SAME):
            strangers += 1
        elif issued >= least:
            word = words[best]
            found.append((best, issued))
        else:
            break
        table = table.without(word)
    return found, strangers


def blind(table: Table, *, top: int = 6) -> tuple[Words, float]:
    """The codeword that fits best among all 2^32, and its z: every four of eight symbols as information set, each
    with its `top` values. Near maximum likelihood."""
    order = np.argsort(-table.scores, axis=1)[:, :top].astype(np.uint8)
    choices = np.array(list(itertools.product(range(top), repeat=DATA)))
    best_z, best_word = -math.inf, np.zeros(SYMBOLS, np.uint8)
    for places, matrix in INFORMATION_SETS:
        words = completed(order[list(places)][np.arange(DATA), choices], matrix)
        z = table.z(words)
        if z[best := int(z.argmax())] > best_z:
            best_z, best_word = float(z[best]), words[best]
    return best_word, best_z

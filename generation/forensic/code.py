"""What one key makes: the synchronisation pattern, the code book, the codewords of numbers, the tile, its shifts.

The scheme is additive spread spectrum in the mid frequencies (Cox et al. 1997) with a periodic tile that can be found
by its synchronisation part after geometry (Kalker et al. 1999), switched in time (Doerr and Dugelay). The tile is 128 x
128 *canonical* pixels: of a picture whose shorter side has 360 lines, so that a plain rescale changes nothing.

Everything is drawn from SHAKE-256 under the key, by rules that are written here: a generator of a library may
change its stream with a release, and marks must be read for years.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from generation.forensic.reed_solomon import DATA, SYMBOLS, Words, completed

TILE: Final = 128  # canonical pixels
LINES: Final = 360  # of the canonical picture's shorter side
LOWEST, HIGHEST = 9.0, 40.0  # used ring of the tile's spectrum, cycles per tile
FALL: Final = 1.0  # amplitude ~ r^-FALL: at 0.6 as much of it is seen, and less comes through hard encoding
SYNC_SHARE: Final = 0.30  # of the bins
RINGS: Final = 12
SHIFTS: Final = 16  # the tile stands at one of so many places, each for SLOT seconds
SLOT: Final = 0.5
NUMBERS: Final = 1 << 32

Floats: TypeAlias = NDArray[np.float32]
Spectrum: TypeAlias = NDArray[np.complex64]


class Code:
    """The tables of one key. Making them takes some milliseconds; `code_of` keeps the latest."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"private-view forensic mark 1", hashlib.sha256)
        ky = np.fft.fftfreq(TILE, 1 / TILE).astype(np.int64)[:, None]
        kx = np.arange(TILE // 2 + 1)[None]
        radius = np.hypot(ky, kx)
        usable = np.flatnonzero((radius >= LOWEST) & (radius <= HIGHEST) & (kx > 0) & (kx < TILE // 2))
        order = np.argsort(self._words(b"bins", len(usable)), kind="stable")
        bins = usable[order]
        self.n_sync = int(len(bins) * SYNC_SHARE)
        self.ky = np.broadcast_to(ky, radius.shape).ravel()[bins]
        self.kx = np.broadcast_to(kx, radius.shape).ravel()[bins]
        self.radius = radius.ravel()[bins].astype(np.float32)
        self.ring = np.minimum((self.radius - LOWEST) / (HIGHEST - LOWEST) * RINGS, RINGS - 1).astype(
            np.int64
        )
        signs = self._signs(b"sync", (2, self.n_sync))
        self.sync: Spectrum = (signs[0] + 1j * signs[1]).astype(np.complex64)
        self.dims = 2 * (len(bins) - self.n_sync) // SYMBOLS  # real dimensions of one symbol
        self.book = self._signs(b"book", (SYMBOLS, 256, self.dims))
        places = self._words(b"shifts", 2 * SHIFTS).reshape(SHIFTS, 2)
        self.shifts = (places % (TILE // 2) * 2).astype(np.int64)  # even: whole pixels at half size, too

    def codeword(self, number: int) -> bytes:
        """The eight symbols of a number below 2**32; neighbours get unrelated ones."""
        if not 0 <= number < NUMBERS:
            raise ValueError(f"a mark's number has 32 bits, {number} has not")
        data = np.frombuffer(self._permuted(number).to_bytes(DATA, "big"), np.uint8)
        return completed(data).tobytes()

    def number(self, word: Words) -> int:
        """The number of a codeword: the way back."""
        return self._permuted(int.from_bytes(word[:DATA].tobytes(), "big"), back=True)

    def tile(self, number: int) -> Floats:
        """128 x 128, RMS 1."""
        word = np.frombuffer(self.codeword(number), np.uint8)
        payload = np.zeros(2 * (len(self.kx) - self.n_sync), np.float32)
        chosen = self.book[np.arange(SYMBOLS), word]
        payload[: chosen.size] = chosen.ravel()
        values = np.concatenate([self.sync, payload[0::2] + 1j * payload[1::2]])
        spectrum = np.zeros((TILE, TILE // 2 + 1), np.complex64)
        spectrum[self.ky, self.kx] = values * self.radius**-FALL
        tile = np.fft.irfft2(spectrum, (TILE, TILE)).astype(np.float32)
        return np.asarray(tile / tile.std(), np.float32)

    def shift(self, clip: str, slot: int) -> tuple[int, int]:
        """By how many canonical pixels, down and right, a clip's tile is moved in that slot of time. The same in all
        its copies: where several are mixed, their synchronisation patterns add up."""
        phase = hmac.digest(self._key, b"phase" + clip.encode(), hashlib.sha256)[0]
        down, right = self.shifts[(phase + slot) % SHIFTS]
        return int(down), int(right)

    def _stream(self, label: bytes, length: int) -> bytes:
        return hashlib.shake_256(self._key + label).digest(length)

    def _words(self, label: bytes, count: int) -> NDArray[np.uint64]:
        return np.frombuffer(self._stream(label, 8 * count), ">u8").astype(np.uint64)

    def _signs(self, label: bytes, shape: tuple[int, ...]) -> NDArray[np.int8]:
        count = int(np.prod(shape))
        bits = np.unpackbits(np.frombuffer(self._stream(label, -(-count // 8)), np.uint8))[:count]
        return (2 * bits.astype(np.int8) - 1).reshape(shape)

    def _permuted(self, number: int, *, back: bool = False) -> int:
        """A keyed permutation of 32 bits: a Feistel network of four rounds."""
        left, right = number >> 16, number & 0xFFFF
        for step in reversed(range(4)) if back else range(4):
            if back:
                left, right = right ^ self._round(step, left), left
            else:
                left, right = right, left ^ self._round(step, right)
        return left << 16 | right

    def _round(self, step: int, half: int) -> int:
        message = b"round%d" % step + half.to_bytes(2, "big")
        return int.from_bytes(hmac.digest(self._key, message, hashlib.sha256)[:2], "big")


@lru_cache(maxsize=8)
def code_of(key: bytes) -> Code:
    """The tables of a key, kept for the latest eight."""
    return Code(key)


def words_of(codewords: Iterable[bytes]) -> Words:
    """N x 8, from codewords as they are stored."""
    return np.frombuffer(b"".join(codewords), np.uint8).reshape(-1, SYMBOLS)

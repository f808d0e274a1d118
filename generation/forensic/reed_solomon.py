"""Reed-Solomon (8,4) over GF(256): 32 bits become eight symbols, of which any four are enough.

An evaluation code: the symbol at place j is the polynomial through the four data symbols, taken at the field element
j + 1. Written out here because what is needed is every set of four places as an information set, over many words at
once, which libraries for storage do not offer.
"""

from __future__ import annotations

import itertools
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

SYMBOLS: Final = 8
DATA: Final = 4
_FIELD: Final = 0x11D  # x^8 + x^4 + x^3 + x^2 + 1, of which x is a generator

Words: TypeAlias = NDArray[np.uint8]


def _powers() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    powers, logs, element = np.zeros(510, np.uint8), np.zeros(256, np.int64), 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = element
        logs[element] = exponent
        element = (element << 1) ^ (_FIELD if element & 0x80 else 0)
    return powers, logs


_EXP, _LOG = _powers()


def _product(a: Words, b: Words) -> Words:
    return np.where((a == 0) | (b == 0), 0, _EXP[_LOG[a] + _LOG[b]]).astype(np.uint8)


def _through(places: tuple[int, ...]) -> Words:
    """8 x 4: from the symbols at these places to the whole word (Lagrange)."""
    matrix = np.zeros((SYMBOLS, DATA), np.uint8)
    for target, (column, place) in itertools.product(range(SYMBOLS), enumerate(places)):
        exponent, zero = 0, False
        for other in places:
            if other != place:
                above, below = (target + 1) ^ (other + 1), (place + 1) ^ (other + 1)
                zero = zero or above == 0
                exponent += int(_LOG[above]) - int(_LOG[below])
        matrix[target, column] = 0 if zero else _EXP[exponent % 255]
    return matrix


INFORMATION_SETS: Final = tuple(
    (places, _through(places)) for places in itertools.combinations(range(SYMBOLS), DATA)
)
_SYSTEMATIC: Final = INFORMATION_SETS[0][1]


def completed(symbols: Words, matrix: Words = _SYSTEMATIC) -> Words:
    """(..., 4) symbols at an information set's places -> (..., 8), the whole words. By default the first four."""
    return np.asarray(np.bitwise_xor.reduce(_product(matrix, symbols[..., None, :]), axis=-1), np.uint8)

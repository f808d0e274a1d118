"""Pictures that show what was read, for whoever has to believe it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.forensic.code import TILE, Code, Floats
from generation.forensic.reading import Signal

_LARGER = 4
_WIDE = 960  # pixels


def pictures(signal: Signal, code: Code) -> dict[str, bytes]:
    """PNG by name: `residual`, the file's frames without what is picture; `peak`, how well the key's pattern fits at
    each place of the tile, moved so that the best is in the middle."""
    return {"residual": _png(_residual(signal)), "peak": _png(_peak(signal, code))}


def _residual(signal: Signal) -> NDArray[np.uint8]:
    first = signal.view.few.levels[0][0][:, :, 0]
    share = min(1.0, _WIDE / first.shape[1])
    smaller = cv2.resize(first, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return _grey(np.asarray(smaller, np.float32), 3 * float(smaller.std()) + 1e-9)


def _peak(signal: Signal, code: Code) -> NDArray[np.uint8]:
    n = code.n_sync
    waves = np.zeros((TILE, TILE // 2 + 1), np.complex64)
    waves[code.ky[:n], code.kx[:n]] = signal.aligned
    fits = np.fft.fftshift(np.fft.irfft2(waves, (TILE, TILE)))
    fits /= fits.std()
    return np.kron(_grey(fits.astype(np.float32), 6.0), np.ones((_LARGER, _LARGER), np.uint8))


def _grey(values: Floats, most: float) -> NDArray[np.uint8]:
    return np.asarray(np.clip(values / most * 127 + 128, 0, 255), np.uint8)


def _png(picture: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", picture)[1])

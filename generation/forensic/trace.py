"""From a suspect file to the copies that it descends from, with the bound on a false alarm."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.forensic import evidence
from generation.forensic.code import Code, code_of
from generation.forensic.reading import Signal, copies, read
from generation.forensic.reed_solomon import Words
from generation.forensic.residual import Frame, residuals
from generation.forensic.search import Search
from generation.forensic.sync import Ear
from generation.forensic.views import Material

LEAD: Final = 7.5
"""z from which a number is a lead; below it nothing is said."""
FINDING: Final = 8.5
"""z from which a number is a finding, among numbers that were issued."""
_ENOUGH: Final = 9.0  # no further stage is tried
CONTROLS: Final = 20
"""Keys that were never used, under which the same file is read."""

Progress = Callable[[int, int, str], None]
"""Called with stages done, stages in all, and the name of the one that begins."""


class Stopped(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Issued:
    """All numbers that were given out under the key of one epoch: N, and N x 8 symbols."""

    epoch: str
    key: bytes = field(repr=False)
    numbers: NDArray[np.int64]
    words: Words


@dataclass(frozen=True, slots=True)
class Named:
    """A copy that is in the file. Another file gives a reading this strong with a probability below 10**log10_bound."""

    epoch: str
    number: int
    z: float
    log10_bound: float

    @property
    def finding(self) -> bool:
        return self.z >= FINDING


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer. `pool` numbers were compared under `alignments` geometries; `controls` is what the strongest of as
    many numbers reaches under keys that were never used."""

    named: tuple[Named, ...]
    best_z: float
    pool: int
    alignments: int
    stage: str
    frames: int
    controls: tuple[float, ...]
    pictures: dict[str, bytes] = field(repr=False)


def trace(
    frames: Iterable[Frame],
    issued: Sequence[Issued],
    *,
    progress: Progress = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
    controls: int = CONTROLS,
) -> Reading:
    """Look for every number that was issued, in geometries from the likely to the rare.

    ValueError where there is no frame; Stopped once `stopped` says so, asked between the stages.
    """
    found = residuals(frames)
    material = Material(found)
    searches = [(one, code_of(one.key)) for one in issued]
    stages = [Search(material, code).stages() for _, code in searches]
    running = _Running(sum(len(one.numbers) for one in issued))
    names = [name for name, _ in Search(material, Code(b"")).stages()]
    for number, name in enumerate(names):
        if stopped():
            raise Stopped
        progress(number, len(names), name)
        for (one, code), of_key in zip(searches, stages, strict=True):
            running.hear(of_key[number][1](), one, code, name)
        if running.best_z >= _ENOUGH:
            break
    return running.reading(len(found.images), controls)


@dataclass(frozen=True, slots=True)
class _Best:
    """The strongest that was heard under one key."""

    z: float
    signal: Signal
    issued: Issued
    code: Code
    stage: str

    def named(self) -> list[tuple[int, float]]:
        numbers, table = self.issued.numbers, self.signal.table(self.code)
        return [(int(numbers[index]), z) for index, z in copies(table, self.issued.words, least=LEAD)]


class _Running:
    """The best signal of each key so far, and how many were looked at."""

    def __init__(self, pool: int) -> None:
        self.pool, self.alignments, self.best_z = pool, 0, 0.0
        self._best: dict[str, _Best] = {}

    def hear(self, signals: Iterable[Signal], issued: Issued, code: Code, stage: str) -> None:
        for signal in signals:
            self.alignments += 1
            scores = signal.table(code).z(issued.words)
            z = float(scores.max()) if len(scores) else 0.0
            if issued.epoch not in self._best or z > self._best[issued.epoch].z:
                self._best[issued.epoch] = _Best(z, signal, issued, code, stage)
            self.best_z = max(self.best_z, z)
            if self.best_z >= _ENOUGH:
                return

    def reading(self, frames: int, controls: int) -> Reading:
        named = sorted(
            (
                Named(best.issued.epoch, number, z, self._bound(z))
                for best in self._best.values()
                for number, z in best.named()
            ),
            key=lambda copy: -copy.z,
        )
        if not named:
            return Reading((), self.best_z, self.pool, self.alignments, "", frames, (), {})
        first = self._best[named[0].epoch]
        return Reading(
            tuple(named),
            self.best_z,
            self.pool,
            self.alignments,
            first.stage,
            frames,
            tuple(_controls(first.signal, first.issued.words, controls)),
            evidence.pictures(first.signal, first.code),
        )

    def _bound(self, z: float) -> float:
        """log10 of N G exp(-z^2 / 2), at most 0."""
        return min(0.0, math.log10(self.pool * max(1, self.alignments)) - z * z / 2 / math.log(10))


def _controls(signal: Signal, words: Words, count: int) -> Iterable[float]:
    """The same file in the same geometry, under keys that no copy was ever marked with."""
    for number in range(count):
        code = Code(hashlib.sha256(b"control %d" % number).digest())
        signals = read(signal.view, signal.fit, Ear(code))
        yield max(float(each.table(code).z(words).max()) for each in signals)

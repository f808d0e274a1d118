"""From a suspect file to the copies that it descends from, with the bound on a false alarm."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.forensic import evidence
from generation.forensic.code import Code, code_of
from generation.forensic.reading import Signal, copies, read
from generation.forensic.reed_solomon import Words
from generation.forensic.residual import Frame, residuals
from generation.forensic.search import STAGES, Search
from generation.forensic.sync import Ear
from generation.forensic.views import Material

LEAD: Final = 7.5
"""z from which a number is a lead; below it nothing is said."""
FINDING: Final = 8.5
"""z from which a number is a finding, among numbers that were issued."""
_ENOUGH: Final = 9.0  # no further stage is tried
CONTROLS: Final = 12
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
    many numbers reaches under keys that were never used; `strangers` are numbers that the file carries under one of
    the keys and that were not among the issued."""

    named: tuple[Named, ...]
    best_z: float
    pool: int
    alignments: int
    stage: str
    frames: int
    controls: tuple[float, ...]
    pictures: dict[str, bytes] = field(repr=False)
    strangers: int = 0


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
    for number, name in enumerate(STAGES):
        if stopped():
            raise Stopped
        progress(number, len(STAGES), name)
        for (one, code), of_key in zip(searches, stages, strict=True):
            running.hear(of_key[name](), one, code, name)
        if running.best_z >= _ENOUGH:
            break
    return running.reading(len(found.images), controls)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What one geometry said under one key, and the z of the strongest number."""

    z: float
    signal: Signal
    issued: Issued
    code: Code
    stage: str

    def read(self) -> tuple[dict[int, float], int]:
        """Numbers with their z, and how many others that were never issued."""
        table, words = self.signal.table(self.code), self.issued.words
        found, strangers = copies(table, words, least=LEAD, surely=FINDING)
        return {int(self.issued.numbers[index]): z for index, z in found}, strangers


class _Running:
    """The strongest that was heard of each number that leads somewhere, and how many signals were looked at."""

    def __init__(self, pool: int) -> None:
        self.pool, self.alignments, self.best_z = pool, 0, 0.0
        self._heard: dict[tuple[str, int], _Heard] = {}

    def hear(self, read: Iterable[list[Signal]], issued: Issued, code: Code, stage: str) -> None:
        for signals in read:
            for signal in signals:
                self._keep(signal, issued, code, stage)
            if self.best_z >= _ENOUGH:
                return

    def _keep(self, signal: Signal, issued: Issued, code: Code, stage: str) -> None:
        self.alignments += 1
        if not len(issued.words):
            return
        scores = signal.table(code).z(issued.words)
        which = (issued.epoch, int(scores.argmax()))
        heard = _Heard(float(scores.max()), signal, issued, code, stage)
        self.best_z = max(self.best_z, heard.z)
        if heard.z >= LEAD and (which not in self._heard or heard.z > self._heard[which].z):
            self._heard[which] = heard

    def reading(self, frames: int, controls: int) -> Reading:
        named: dict[tuple[str, int], tuple[float, _Heard]] = {}
        strangers: Counter[str] = Counter()
        for heard in self._heard.values():
            found, others = heard.read()
            epoch = heard.issued.epoch
            strangers[epoch] = max(strangers[epoch], others)
            for number, z in found.items():
                if z > named.get((epoch, number), (0.0, heard))[0]:
                    named[epoch, number] = z, heard
        answer = partial(Reading, pool=self.pool, alignments=self.alignments, frames=frames)
        answer = partial(answer, strangers=strangers.total())
        if not named:
            return answer((), self.best_z, stage="", controls=(), pictures={})
        ranked = sorted(named.items(), key=lambda one: -one[1][0])
        _, (best_z, first) = ranked[0]
        return answer(
            tuple(Named(epoch, number, z, self._bound(z)) for (epoch, number), (z, _) in ranked),
            best_z,
            stage=first.stage,
            controls=tuple(_controls(first.signal, first.issued.words, controls)),
            pictures=evidence.pictures(first.signal, first.code),
        )

    def _bound(self, z: float) -> float:
        """log10 of N G (G + 1) exp(-z^2 / 2), at most 0.

        The search ends where it finds, so that G is not known before: the k-th geometry gets the part 1 / k (k + 1) of
        what may go wrong, and all of them together no more than the whole.
        """
        tried = max(1, self.alignments)
        chances = math.log10(self.pool) + math.log10(tried) + math.log10(tried + 1)
        return min(0.0, chances - z * z / 2 / math.log(10))


def _controls(signal: Signal, words: Words, count: int) -> Iterable[float]:
    """The same file in the same geometry, under keys that no copy was ever marked with."""
    for number in range(count):
        code = Code(hashlib.sha256(b"control %d" % number).digest())
        signals = read(signal.view, signal.fit, Ear(code))
        yield max(float(each.table(code).z(words).max()) for each in signals)

"""From a suspect file to the copies that it descends from, with the bound on a false alarm."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.forensic import evidence
from generation.forensic.code import Code, code_of
from generation.forensic.reading import Signal, blind, copies, read
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
_STRANGER: Final = 9.5  # among all 2^32, where nothing that was issued is heard
_NOT_ISSUED: Final = -1
CONTROLS: Final = 12
"""Keys that were never used, under which the same file is read."""

Progress = Callable[[int, int, str], None]
"""Called with stages done, stages in all, and the name of the one that begins."""


class Stopped(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Issued:
    """All numbers that were given out under the key of one epoch: N, and N x 8 symbols. `told` says which of them
    whoever asks may be told of: evidence is shown of these alone. None is all."""

    epoch: str
    key: bytes = field(repr=False)
    numbers: NDArray[np.int64]
    words: Words
    told: NDArray[np.bool_] | None = None

    def tells(self, index: int) -> bool:
        return self.told is None or bool(self.told[index])


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
    """The answer. `pool` numbers were compared under `alignments` geometries; `strangers` are numbers that the file
    carries under one of the keys and that were not among the issued. The rest is evidence of the strongest number that
    may be told: where it was found, pictures, and what the strongest of as many numbers reaches under keys that were
    never used (`controls`)."""

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

    def read(self) -> tuple[list[tuple[int, float]], int]:
        """Which of the issued, by their places among them, with their z, and how many others."""
        return copies(self.signal.table(self.code), self.issued.words, least=LEAD, surely=FINDING)

    def controls(self, count: int) -> tuple[float, ...]:
        """The same file in the same geometry, under keys that no copy was ever marked with."""
        digests = (hashlib.sha256(b"control %d" % number).digest() for number in range(count))
        return tuple(self._control(Code(digest)) for digest in digests)

    def _control(self, code: Code) -> float:
        signals = read(self.signal.view, self.signal.fit, Ear(code))
        return max(float(each.table(code).z(self.issued.words).max()) for each in signals)


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
        table = signal.table(code)
        scores = table.z(issued.words)
        which, z = (issued.epoch, int(scores.argmax())), float(scores.max())
        if z < LEAD and table.most() >= _STRANGER and (any_z := blind(table)[1]) >= _STRANGER:
            which, z = (issued.epoch, _NOT_ISSUED), any_z
        self.best_z = max(self.best_z, z)
        if z >= LEAD and (which not in self._heard or z > self._heard[which].z):
            self._heard[which] = _Heard(z, signal, issued, code, stage)

    def reading(self, frames: int, controls: int) -> Reading:
        named: dict[tuple[str, int], tuple[float, _Heard]] = {}
        strangers: Counter[str] = Counter()
        told: list[tuple[float, _Heard]] = []
        for heard in self._heard.values():
            found, others = heard.read()
            issued = heard.issued
            strangers[issued.epoch] = max(strangers[issued.epoch], others)
            for index, z in found:
                which = issued.epoch, int(issued.numbers[index])
                if z > named.get(which, (0.0, heard))[0]:
                    named[which] = z, heard
                if issued.tells(index):
                    told.append((z, heard))
        ranked = sorted(named.items(), key=lambda one: -one[1][0])
        shown = max(told, key=lambda one: one[0])[1] if told else None
        return Reading(
            tuple(Named(epoch, number, z, self._bound(z)) for (epoch, number), (z, _) in ranked),
            ranked[0][1][0] if ranked else self.best_z,
            pool=self.pool,
            alignments=self.alignments,
            frames=frames,
            strangers=strangers.total(),
            stage=shown.stage if shown else "",
            controls=shown.controls(controls) if shown else (),
            pictures=evidence.pictures(shown.signal, shown.code) if shown else {},
        )

    def _bound(self, z: float) -> float:
        """log10 of N G (G + 1) exp(-z^2 / 2), at most 0.

        The search ends where it finds, so that G is not known before: the k-th geometry gets the part 1 / k (k + 1) of
        what may go wrong, and all of them together no more than the whole.
        """
        tried = max(1, self.alignments)
        chances = math.log10(self.pool) + math.log10(tried) + math.log10(tried + 1)
        return min(0.0, chances - z * z / 2 / math.log(10))

"""Looking for the geometry, from what is likely and cheap to what is rare and dear."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.forensic.code import Code, Floats
from generation.forensic.geometry import Fit, Pictures
from generation.forensic.reading import Signal, joined, read, variants
from generation.forensic.residual import Residuals
from generation.forensic.sync import Ear

_SEARCHED: Final = 8  # pictures that every guess is tried on
_KEPT: Final = 16  # guesses that are heard at full resolution
_REFINED: Final = 5  # guesses that are refined and read
_SHAPES: Final = [math.sqrt(shape) for shape in (0.75, 4 / 3, 0.5625, 16 / 9)]


@dataclass(frozen=True, slots=True)
class Heard:
    """A guess and how much speaks for it."""

    fit: Fit
    vote: float


class Listener:
    """One file, or a part of its picture, under one key."""

    def __init__(self, pictures: Pictures, few: Pictures, quarters: NDArray[np.int64], code: Code) -> None:
        self._pictures: Callable[[], Pictures] = lambda: pictures  # of a part only where it is read
        self.few, self.quarters = few, quarters
        self._coarse, self._fine = Ear(code, halved=True), Ear(code)

    def heard(self, guesses: Iterable[Fit]) -> list[Fit]:
        """The guesses that are worth a closer look, mirrored or not, at half the resolution; the best first."""
        heard = []
        for fit in guesses:
            spectra = self._coarse.spectra(self.few.fold(fit, halved=True))
            for mirrored in (False, True):
                vote = self._coarse.vote(spectra, mirrored=mirrored)
                heard.append(Heard(replace(fit, turn=-fit.turn, mirrored=True) if mirrored else fit, vote))
        return [guess.fit for guess in _distinct(sorted(heard, key=_by_vote), _KEPT)]

    def signals(self, fits: Iterable[Fit], most: int = _REFINED) -> Iterator[Signal]:
        """Of the best guesses, refined."""
        for guess in sorted(map(self.vote, fits), key=_by_vote)[:most]:
            yield self.read(self.refined(guess).fit)

    def read(self, fit: Fit) -> Signal:
        return read(self._pictures(), self.quarters, fit, self._fine)

    def refined(self, guess: Heard, *, slanted: bool = False) -> Heard:
        """The top of the hill that a guess stands on: one parameter after the other, in ever smaller steps."""
        best, step = guess, 0.002
        for _ in range(4):
            for parameter in range(5 if slanted else 4):
                for way in (step, -step):
                    other = self.vote(_changed(best.fit, way)[parameter])
                    if other.vote > best.vote:
                        best = other
                        break
            step /= 2
        return best

    def vote(self, fit: Fit) -> Heard:
        """At full resolution."""
        return Heard(fit, self._fine.vote(self._fine.spectra(variants(self.few.fold(fit)))))

    def turned(self, quarters: int) -> Listener:
        """The picture, turned by so many right angles."""
        turned = copy(self)
        turned.few = self.few.turned(quarters)
        turned._pictures = lambda: self._pictures().turned(quarters)
        return turned

    def part(self, top: float, left: float, share: float) -> Listener:
        """A part of the picture: where it begins and how much of each side it has, in shares."""
        height, width = self.few.size
        first, begin = round(top * height), round(left * width)
        box = (first, begin, first + round(share * height), begin + round(share * width))
        part = copy(self)
        part.few = self.few.part(*box)
        part._pictures = lambda: self._pictures().part(*box)
        return part


class Material:
    """What is searched, the same for every key."""

    def __init__(self, found: Residuals) -> None:
        self.pictures, self.few = Pictures(found.images), Pictures(_chosen(found))
        self.quarters, self.bars = found.quarters, found.bars


class Search:
    """One file under one key. `stages` go from cheap to dear; each yields the signals of its best guesses."""

    def __init__(self, material: Material, code: Code) -> None:
        self._whole = Listener(material.pictures, material.few, material.quarters, code)
        self._bars = material.bars
        self._best: Signal | None = None

    def stages(self) -> Sequence[tuple[str, Callable[[], Iterator[Signal]]]]:
        named = {
            "as it is": self._as_is,
            "zoom and mirror": self._zooms,
            "quarter turn": self._quarter_turns,
            "stretch": self._stretches,
            "turn": self._turns,
            "shape": self._aspects,
            "parts": self._parts,
            "bent": self._bent,
        }
        return [(name, partial(self._noted, stage)) for name, stage in named.items()]

    def read(self, fit: Fit) -> Signal:
        """Under one geometry that is known."""
        return self._whole.read(fit)

    def _noted(self, stage: Callable[[], Iterator[Signal]]) -> Iterator[Signal]:
        """A stage's signals; the surest of all so far is where bent pictures are looked for."""
        for signal in stage():
            if self._best is None or signal.sync > self._best.sync:
                self._best = signal
            yield signal

    def _as_is(self) -> Iterator[Signal]:
        yield self._whole.read(Fit())
        around = [Fit(zoom * d, zoom * d) for zoom in {1.0, self._bars} for d in (1, 0.9975, 1.0025)]
        yield from self._whole.signals(around, 3)

    def _zooms(self) -> Iterator[Signal]:
        yield from self._among(Fit(z, z) for z in _steps(0.38, 2.9, 0.007))

    def _quarter_turns(self) -> Iterator[Signal]:
        for quarters in (1, 3, 2):
            turned = self._whole.turned(quarters)
            yield from turned.signals(turned.heard(Fit(z, z) for z in _steps(0.38, 2.9, 0.007)), 2)

    def _stretches(self) -> Iterator[Signal]:
        near = _steps(0.9, 1.12, 0.007)
        yield from self._among(Fit(a, d) for a in near for d in near if abs(math.log(a / d)) > 0.006)

    def _turns(self) -> Iterator[Signal]:
        turns = [math.radians(degrees) for degrees in np.arange(-4, 4.01, 0.5) if degrees]
        zooms = _steps(0.8, 1.35, 0.009)
        yield from self._among(Fit(z, z, t) for t in turns for z in zooms)

    def _aspects(self) -> Iterator[Signal]:
        zooms = _steps(0.38, 2.9, 0.009)
        yield from self._among(Fit(z * shape, z / shape) for shape in _SHAPES for z in zooms)

    def _parts(self) -> Iterator[Signal]:
        """A picture in the picture: somewhere among others, at a size of its own."""
        guesses = []
        for top, left in itertools.product((0.0, 0.25, 0.5), repeat=2):
            part = self._whole.part(top, left, 0.5)
            fits = part.heard(Fit(z, z) for z in _steps(0.9, 3.2, 0.009))
            guesses += [(part.vote(fit), part) for fit in fits[:4]]
        for guess, part in sorted(guesses, key=lambda found: -found[0].vote)[:_REFINED]:
            yield part.read(part.refined(guess).fit)

    def _bent(self) -> Iterator[Signal]:
        """Filmed from the side: near the surest guess, each quarter of the picture with a geometry of its own."""
        if self._best is None:
            return
        signals = []
        for top, left in itertools.product((0.0, 0.5), repeat=2):
            part = self._whole.part(top, left, 0.5)
            near = part.vote(self._best.fit)
            signals.append(part.read(part.refined(near, slanted=True).fit))
        yield joined(signals)

    def _among(self, guesses: Iterable[Fit]) -> Iterator[Signal]:
        yield from self._whole.signals(self._whole.heard(guesses))


def _changed(fit: Fit, step: float) -> tuple[Fit, ...]:
    """The fit a little off, in one parameter after the other; the last is the slant."""
    across, down = fit.across * (1 + step), fit.down * (1 + step)
    return (
        replace(fit, across=across, down=down),
        replace(fit, turn=fit.turn + step),
        replace(fit, across=across),
        replace(fit, down=down),
        replace(fit, slant=fit.slant + 2 * step),
    )


def _chosen(found: Residuals) -> list[Floats]:
    """The few pictures that every guess is tried on: frames coded by themselves, and means of quarters of a second,
    spread over the file."""
    whole = _spread(np.flatnonzero(found.whole), _SEARCHED // 2)
    quarters = _spread(np.unique(found.quarters), _SEARCHED - len(whole))
    members = [np.flatnonzero(found.quarters == quarter) for quarter in quarters]
    means = [sum(found.images[index] for index in those) / np.float32(len(those)) for those in members]
    return [*(found.images[index] for index in whole), *(np.asarray(mean, np.float32) for mean in means)]


def _spread(which: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    picks = np.linspace(0, len(which) - 1, min(len(which), most)).round().astype(int)
    return np.asarray(which[np.unique(picks)], np.int64)


def _by_vote(guess: Heard) -> float:
    return -guess.vote


def _distinct(heard: Sequence[Heard], most: int) -> list[Heard]:
    """The best ones, but not the neighbours of a better one."""
    kept: list[Heard] = []
    for guess in heard:
        if len(kept) == most:
            break
        if not any(_near(guess.fit, other.fit) for other in kept):
            kept.append(guess)
    return kept


def _near(one: Fit, other: Fit) -> bool:
    return (
        one.mirrored == other.mirrored
        and abs(one.turn - other.turn) < 0.007
        and abs(math.log(one.across / other.across)) < 0.012
        and abs(math.log(one.down / other.down)) < 0.012
    )


def _steps(least: float, most: float, step: float) -> list[float]:
    return [math.exp(at) for at in np.arange(math.log(least), math.log(most), step)]

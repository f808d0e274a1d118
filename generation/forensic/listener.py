"""Listening for one key in one view of a file: which guesses of its geometry are worth a closer look."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from generation.forensic.code import Code
from generation.forensic.geometry import Fit
from generation.forensic.reading import Signal, read
from generation.forensic.sync import Ear, spectra
from generation.forensic.views import View, variants

REFINED: Final = 4  # guesses that are refined and read
_KEPT: Final = 16  # guesses that are heard at full resolution


@dataclass(frozen=True, slots=True)
class Heard:
    """A guess and how much speaks for it."""

    fit: Fit
    vote: float


class Listener:
    """One view of a file under one key."""

    def __init__(self, view: View, code: Code) -> None:
        self.view, self.code = view, code
        self._coarse, self._fine = Ear(code, halved=True), Ear(code)

    def heard(self, guesses: Iterable[Fit], *, mirrored: bool = True, closely: bool = False) -> list[Fit]:
        """The guesses that are worth a closer look, the best first; at half the resolution, or `closely` at all of it.
        `mirrored` listens for each the other way round, too.
        """
        heard = []
        ear, folded = (self._fine, self.view.glance) if closely else (self._coarse, self.view.coarse)
        for fit in guesses:
            waves = spectra(folded(fit))
            heard.append(Heard(fit, ear.vote(waves)))
            if mirrored:
                other = replace(fit, turn=-fit.turn, mirrored=True)
                heard.append(Heard(other, ear.vote(waves, mirrored=True)))
        return [guess.fit for guess in distinct(sorted(heard, key=by_vote), _KEPT)]

    def signals(self, fits: Iterable[Fit], most: int = REFINED) -> Iterator[list[Signal]]:
        """Of the best guesses, refined."""
        for guess in sorted(map(self.vote, fits), key=by_vote)[:most]:
            yield self.read(self.refined(guess).fit)

    def read(self, fit: Fit) -> list[Signal]:
        return read(self.view, fit, self._fine)

    def refined(self, guess: Heard, *, slanted: bool = False) -> Heard:
        """The top of the hill that a guess stands on: one parameter after the other, in ever smaller steps."""
        best, step = self.glance(guess.fit), 0.002
        for _ in range(4):
            for parameter in range(7 if slanted else 4):
                for way in (step, -step):
                    other = self.glance(_changed(best.fit, way)[parameter])
                    if other.vote > best.vote:
                        best = other
                        break
            step /= 2
        return best

    def vote(self, fit: Fit) -> Heard:
        """At full resolution."""
        return Heard(fit, self._fine.vote(spectra(variants(self.view.glance(fit)))))

    def rough(self, fit: Fit) -> Heard:
        """At half the resolution."""
        return Heard(fit, self._coarse.vote(spectra(self.view.coarse(fit))))

    def glance(self, fit: Fit) -> Heard:
        """At full resolution, with half of the pictures that are voted on."""
        return Heard(fit, self._fine.vote(spectra(self.view.glance(fit))))

    def turned(self, quarters: int) -> Listener:
        """The view, turned by so many right angles."""
        return Listener(self.view.turned(quarters), self.code)

    def part(self, top: float, left: float, share: float) -> Listener:
        """A part of the view: where it begins and how much of each side it has, in shares."""
        return Listener(self.view.part(top, left, share), self.code)


def _changed(fit: Fit, step: float) -> tuple[Fit, ...]:
    """The fit a little off, in one parameter after the other; the last three are those of what is slanted."""
    across, down = fit.across * (1 + step), fit.down * (1 + step)
    return (
        replace(fit, across=across, down=down),
        replace(fit, turn=fit.turn + step),
        replace(fit, across=across),
        replace(fit, down=down),
        replace(fit, slant=fit.slant + 2 * step),
        replace(fit, rightwards=fit.rightwards + 2 * step),
        replace(fit, downwards=fit.downwards + 2 * step),
    )


def by_vote(guess: Heard) -> float:
    return -guess.vote


def distinct(heard: Sequence[Heard], most: int) -> list[Heard]:
    """The best ones, but not the neighbours of a better one."""
    kept: list[Heard] = []
    for guess in heard:
        if len(kept) == most:
            break
        if not any(near(guess.fit, other.fit) for other in kept):
            kept.append(guess)
    return kept


def near(one: Fit, other: Fit) -> bool:
    return (
        one.mirrored == other.mirrored
        and abs(one.turn - other.turn) < 0.007
        and abs(math.log(one.across / other.across)) < 0.012
        and abs(math.log(one.down / other.down)) < 0.012
    )

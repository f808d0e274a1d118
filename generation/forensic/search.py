"""Looking for the geometry, from what is likely and cheap to what is rare and dear."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from generation.forensic.code import Code
from generation.forensic.geometry import Fit
from generation.forensic.reading import Signal, read
from generation.forensic.sync import Ear, spectra
from generation.forensic.views import Material, View, variants

STAGES: Final = (
    "as it is",
    "zoom and mirror",
    "zoom and mirror, closely",
    "quarter turn",
    "stretch",
    "turn",
    "shape",
    "parts",
    "seen from the side",
    "sheet of pictures",
)
_KEPT: Final = 16  # guesses that are heard at full resolution
_REFINED: Final = 4  # guesses that are refined and read
_PLACED: Final = 8  # parts of which it is asked where they stand, and which are read
_PLACED_CLOSELY: Final = 3  # likewise of those that were heard at full resolution
_TILTED: Final = 10  # stretches of which it is asked how the picture goes on
_PART: Final = 0.5  # of each side
_MOST_MOVES: Final = 0.5  # of the picture's area: where more moves, what stands still is the clip's own
_SHAPES: Final = [math.sqrt(shape) for shape in (0.75, 4 / 3, 0.5625, 16 / 9)]


@dataclass(frozen=True, slots=True)
class Heard:
    """A guess and how much speaks for it."""

    fit: Fit
    vote: float


@dataclass(frozen=True, slots=True)
class _Part:
    """A guess of where a part begins, in shares, and at what size."""

    heard: Heard
    top: float
    left: float

    def overlaps(self, other: _Part) -> bool:
        """At the same size, and hardly elsewhere."""
        near = max(abs(self.top - other.top), abs(self.left - other.left)) < _PART / 2
        return near and _near(self.heard.fit, other.heard.fit)


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
        return [guess.fit for guess in _distinct(sorted(heard, key=_by_vote), _KEPT)]

    def signals(self, fits: Iterable[Fit], most: int = _REFINED) -> Iterator[list[Signal]]:
        """Of the best guesses, refined."""
        for guess in sorted(map(self.vote, fits), key=_by_vote)[:most]:
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


class Search:
    """One file under one key. STAGES go from cheap to dear; each yields what its best guesses read."""

    def __init__(self, material: Material, code: Code) -> None:
        self._whole = Listener(material.whole, code)
        self._moving = Listener(material.moving, code) if material.moving else None
        self._main = self._moving if self._moving and material.share < _MOST_MOVES else self._whole

    def stages(self) -> dict[str, Callable[[], Iterator[list[Signal]]]]:
        """By its name, what each stage hears."""
        hear = (
            self._as_is,
            self._zooms,
            self._zooms_closely,
            self._quarter_turns,
            self._stretches,
            self._turns,
            self._aspects,
            self._parts,
            self._seen_from_the_side,
            self._sheet,
        )
        return dict(zip(STAGES, hear, strict=True))

    def _as_is(self) -> Iterator[list[Signal]]:
        for listener in self._listeners():
            yield listener.read(Fit())
            yield from listener.signals([Fit(d, d) for d in (1, 0.9975, 1.0025)], 2)

    def _zooms(self) -> Iterator[list[Signal]]:
        for listener in self._listeners():
            yield from listener.signals(listener.heard(Fit(z, z) for z in _ZOOMS))

    def _zooms_closely(self) -> Iterator[list[Signal]]:
        """In a dense texture half the resolution says nothing."""
        near = [Fit(z, z) for z in _ZOOMS if 0.5 < z < 2]
        for listener in self._listeners():
            yield from listener.signals(listener.heard(near, mirrored=False, closely=True))

    def _listeners(self) -> list[Listener]:
        both = (self._main, self._whole, self._moving)
        return [listener for listener in dict.fromkeys(both) if listener]

    def _quarter_turns(self) -> Iterator[list[Signal]]:
        for quarters in (1, 3, 2):
            turned = self._main.turned(quarters)
            yield from turned.signals(
                turned.heard((Fit(z, z) for z in _ZOOMS if 0.48 < z < 2.3), mirrored=False), 1
            )

    def _stretches(self) -> Iterator[list[Signal]]:
        near = _steps(0.9, 1.12, 0.007)
        yield from self._among(Fit(a, d) for a in near for d in near if abs(math.log(a / d)) > 0.006)

    def _turns(self) -> Iterator[list[Signal]]:
        turns = [math.radians(degrees) for degrees in np.arange(-4, 4.01, 0.5) if degrees]
        guesses = [Fit(z, z, t) for t in turns for z in _steps(0.8, 1.35, 0.009)]
        # What moves may be a figure in a clip whose ground stands still: then the whole is what was turned.
        for listener in dict.fromkeys((self._main, self._whole)):
            yield from listener.signals(listener.heard(guesses))

    def _aspects(self) -> Iterator[list[Signal]]:
        guesses = (Fit(z * shape, z / shape) for shape in _SHAPES for z in _steps(0.5, 2.0, 0.009))
        yield from self._main.signals(self._main.heard(guesses, mirrored=False))

    def _parts(self) -> Iterator[list[Signal]]:
        """A picture in the picture: somewhere among others, at a size of its own. What is around it speaks, too, and
        only reading tells which is which.
        """
        guesses = [*self._places(_PLACED, 0.125), *self._places(_PLACED_CLOSELY, 0.25, closely=True)]
        for guess in guesses:
            fit, part = self._placed(guess)
            yield part.read(part.refined(part.glance(fit)).fit)

    def _places(self, most: int, step: float, *, closely: bool = False) -> list[_Part]:
        """Parts that begin so far apart, in shares, at half the resolution or `closely` at all of it; the best first."""
        guesses = []
        for top, left in itertools.product(np.arange(0, _PART + step / 2, step).tolist(), repeat=2):
            part = self._main.part(top, left, _PART)
            listened = part.glance if closely else part.rough
            guesses += [_Part(listened(Fit(z, z)), top, left) for z in _steps(1.5, 2.9, 0.006)]
        return _apart(guesses, most)

    def _placed(self, guess: _Part) -> tuple[Fit, Listener]:
        """The part near there in which most speaks for the guess: it may lie between two of those."""
        fit, top, left = guess.heard.fit, guess.top, guess.left
        for step in (0.125, 0.06, 0.03):
            downs, acrosses = (
                {min(max(at + way, 0.0), 1 - _PART) for way in (0, -step, step)} for at in (top, left)
            )
            votes = {
                (down, across): self._main.part(down, across, _PART).glance(fit).vote
                for down, across in itertools.product(downs, acrosses)
            }
            top, left = max(votes, key=votes.__getitem__)
        return fit, self._main.part(top, left, _PART)

    def _seen_from_the_side(self) -> Iterator[list[Signal]]:
        """Filmed off a screen. In the middle of the picture that is a stretch; how it goes on is tried from there."""
        middle = self._main.part(0.25, 0.25, 0.5)
        near = _steps(0.9, 1.11, 0.009)
        votes = [middle.glance(Fit(across, down)) for across in near for down in near]
        best = _distinct(sorted(votes, key=_by_vote), _TILTED)
        tilted = [self._tilted(middle.refined(guess).fit) for guess in best]
        for guess in sorted(tilted, key=_by_vote)[:2]:
            yield self._main.read(self._main.refined(guess, slanted=True).fit)

    def _tilted(self, there: Fit) -> Heard:
        ways = itertools.product(_SIDES, repeat=2)
        tried = (self._main.glance(replace(there, rightwards=right, downwards=down)) for right, down in ways)
        return min(tried, key=_by_vote)

    def _sheet(self) -> Iterator[list[Signal]]:
        """Twelve frames of one clip in one picture, as contact sheets have them: each begins its tiles anew."""
        guesses = []
        for corner in (0.0, _PART):  # above at the left, below at the right
            part = self._whole.part(corner, corner, _PART)
            guesses += [(part.glance(Fit(z, z)), part) for z in _steps(2.98, 3.65, 0.005)]
        for guess, part in sorted(guesses, key=lambda found: -found[0].vote)[:_REFINED]:
            yield part.read(part.refined(guess).fit)

    def _among(self, guesses: Iterable[Fit]) -> Iterator[list[Signal]]:
        yield from self._main.signals(self._main.heard(guesses))


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


def _by_vote(guess: Heard) -> float:
    return -guess.vote


def _apart(guesses: Sequence[_Part], most: int) -> list[_Part]:
    """The best ones, but of what overlaps at one size the best alone."""
    kept: list[_Part] = []
    for guess in sorted(guesses, key=lambda guess: -guess.heard.vote):
        if len(kept) == most:
            break
        if not any(guess.overlaps(other) for other in kept):
            kept.append(guess)
    return kept


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


_ZOOMS: Final = _steps(0.38, 2.9, 0.005)
_SIDES: Final = np.arange(-0.06, 0.061, 0.02).tolist()

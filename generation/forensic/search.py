"""Looking for the geometry, from what is likely and cheap to what is rare and dear."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from generation.forensic.code import Code
from generation.forensic.geometry import Fit
from generation.forensic.listener import REFINED, Heard, Listener, by_vote, distinct, near
from generation.forensic.reading import Signal
from generation.forensic.views import Material

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
_PLACED: Final = 8  # parts of which it is asked where they stand, and which are read
_PLACED_CLOSELY: Final = 3  # likewise of those that were heard at full resolution
_TILTED: Final = 10  # stretches of which it is asked how the picture goes on
_PART: Final = 0.5  # of each side
_MOST_MOVES: Final = 0.5  # of the picture's area: where more moves, what stands still is the clip's own
_SHAPES: Final = [math.sqrt(shape) for shape in (0.75, 4 / 3, 0.5625, 16 / 9)]


@dataclass(frozen=True, slots=True)
class _Part:
    """A guess of where a part begins, in shares, and at what size."""

    heard: Heard
    top: float
    left: float

    def overlaps(self, other: _Part) -> bool:
        """At the same size, and hardly elsewhere."""
        apart = max(abs(self.top - other.top), abs(self.left - other.left))
        return apart < _PART / 2 and near(self.heard.fit, other.heard.fit)


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
        plain = [Fit(z, z) for z in _ZOOMS if 0.5 < z < 2]
        for listener in self._listeners():
            yield from listener.signals(listener.heard(plain, mirrored=False, closely=True))

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
        sides = _steps(0.9, 1.12, 0.007)
        guesses = (Fit(a, d) for a in sides for d in sides if abs(math.log(a / d)) > 0.006)
        yield from self._main.signals(self._main.heard(guesses))

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
        """That begin so far apart, in shares, at half the resolution or `closely` at all of it; the best first."""
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
        sides = _steps(0.9, 1.11, 0.009)
        votes = [middle.glance(Fit(across, down)) for across in sides for down in sides]
        best = distinct(sorted(votes, key=by_vote), _TILTED)
        tilted = [self._tilted(middle.refined(guess).fit) for guess in best]
        for guess in sorted(tilted, key=by_vote)[:2]:
            yield self._main.read(self._main.refined(guess, slanted=True).fit)

    def _tilted(self, there: Fit) -> Heard:
        ways = itertools.product(_SIDES, repeat=2)
        tried = (self._main.glance(replace(there, rightwards=right, downwards=down)) for right, down in ways)
        return min(tried, key=by_vote)

    def _sheet(self) -> Iterator[list[Signal]]:
        """Twelve frames of one clip in one picture, as contact sheets have them: each begins its tiles anew."""
        guesses = []
        for corner in (0.0, _PART):  # above at the left, below at the right
            part = self._whole.part(corner, corner, _PART)
            guesses += [(part.glance(Fit(z, z)), part) for z in _steps(2.98, 3.65, 0.005)]
        for guess, part in sorted(guesses, key=lambda found: -found[0].vote)[:REFINED]:
            yield part.read(part.refined(guess).fit)


def _apart(guesses: Sequence[_Part], most: int) -> list[_Part]:
    """The best ones, but of what overlaps at one size the best alone."""
    kept: list[_Part] = []
    for guess in sorted(guesses, key=lambda guess: -guess.heard.vote):
        if len(kept) == most:
            break
        if not any(guess.overlaps(other) for other in kept):
            kept.append(guess)
    return kept


def _steps(least: float, most: float, step: float) -> list[float]:
    return [math.exp(at) for at in np.arange(math.log(least), math.log(most), step)]


_ZOOMS: Final = _steps(0.38, 2.9, 0.005)
_SIDES: Final = np.arange(-0.06, 0.061, 0.02).tolist()

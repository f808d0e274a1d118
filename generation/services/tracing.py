"""From a suspect file to the copies that it descends from. Each run is in the audit log, whatever it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit import log
from core.actors import Actor
from generation import keys
from generation.errors import SpecRejected
from generation.queries import marks as queries
from generation.queries.marks import CopyView
from generation.services import files, marks, spares

if TYPE_CHECKING:
    from generation.forensic.trace import Issued, Named, Progress, Reading


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read, and the copy of each number that was named, in the same order. `elsewhere` counts those that
    belong to another programme than the one that asks, which is told nothing else of them."""

    sha256: str
    reading: Reading
    copies: tuple[tuple[Named, CopyView], ...]
    elsewhere: int = 0


def trace(
    path: Path,
    *,
    by: Actor,
    now: datetime,
    programme: int | None = None,
    progress: Progress = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Answer:
    """Read a file that may be anything, in a process of its own. Minutes where nothing is found.

    Compared with every copy of the house, whoever asks: a number that were left out would be taken for one of its
    relatives. Told are those of one programme (its row id), or all. Raises SpecRejected with a sentence on the file,
    NoKey where this process has not the keys of all marks, Stopped.
    """
    from generation.forensic.child import trace_apart

    issued = _issued(programme)
    with path.open("rb") as file:
        sha256 = files.digest(file)
    try:
        reading = trace_apart(path, issued, progress=progress, stopped=stopped)
    except SpecRejected as refusal:
        _note(sha256, by, now, {"refused": refusal.code})
        raise
    except BaseException as end:  # also Ctrl-C: somebody has asked, and may have seen how far it was
        _note(sha256, by, now, {"ended": type(end).__name__})
        raise
    spares.found({named.number for named in reading.named}, now)
    copies = queries.copies(named.number for named in reading.named)
    named = tuple(
        (named, copies[named.number])
        for named in reading.named
        if programme in (None, copies[named.number].programme)
    )
    found = [
        {"number": f"{one.number:08x}", "z": round(one.z, 2), "video": copy.video} for one, copy in named
    ]
    elsewhere = len(reading.named) - len(named)
    counts = {"elsewhere": elsewhere, "pool": reading.pool, "alignments": reading.alignments}
    _note(sha256, by, now, {"named": found} | counts)
    return Answer(sha256, reading, named, elsewhere)


def told(answer: Answer) -> list[str]:
    """The answer in words: what a reading says, and what it does not."""
    reading = answer.reading
    said = [_sentence(named, copy, reading) for named, copy in answer.copies]
    if answer.copies:
        said += [_control(reading, max(named.z for named, _ in answer.copies)), _LIMITS]
    if answer.elsewhere:
        said.append(
            "The file carries a copy of another programme of this house. Which one, only that programme is told."
        )
    if reading.strangers:
        said.append(
            "The file carries a number under one of our keys that is not on record here: the record was lost, or the "
            "key was. Nothing can be said of that copy."
        )
    return said or [_nothing(reading)]


def _nothing(reading: Reading) -> str:
    return (
        f"No reading. Nothing in this file speaks for one of the {reading.pool:,} numbers that were issued, in "
        f"{_geometries(reading)}. This does not say that the file is unmarked."
    )


_LIMITS = (
    "It identifies the copy from which this file descends, not who passed it on, nor whether an account was "
    "misused."
)


def _sentence(named: Named, copy: CopyView, reading: Reading) -> str:
    said = (
        f"The file carries mark number {named.number:08x}, put into {copy.purpose_words} of clip {copy.code} "
        f"({copy.video}) on {copy.made_at:%d %B %Y} (UTC){_handed(copy)}. Another file gives a reading this strong "
        f"with probability below 1e{int(named.log10_bound)} (upper bound over {reading.pool:,} issued numbers and "
        f"{_geometries(reading)})."
    )
    return said if named.finding else f"A lead, not a finding. {said}"


def _handed(copy: CopyView) -> str:
    """What leaked from the store before that came from nobody who was given it."""
    if (
        copy.handed_at is None or copy.handed_at <= copy.made_at
    ):  # it was not made yet when somebody was to have it
        return ""
    return f", ahead of anybody's asking, and handed out on {copy.handed_at:%d %B %Y at %H:%M} UTC"


def _geometries(reading: Reading) -> str:
    return f"{reading.alignments} {'geometry' if reading.alignments == 1 else 'geometries'}"


def _control(reading: Reading, z: float) -> str:
    return (
        f"Control: under {len(reading.controls)} keys that were never used the strongest number reads "
        f"{max(reading.controls):.1f}; here it reads {z:.1f}."
    )


def _issued(programme: int | None) -> list[Issued]:
    import numpy as np

    from generation.forensic.code import words_of
    from generation.forensic.trace import Issued

    keys.ring()  # a process without any says so, also where nothing was marked yet
    return [
        Issued(
            epoch,
            marks.key_of(epoch, rows[0].number, rows[0].codeword),
            np.array([row.number for row in rows], np.int64),
            words_of(row.codeword for row in rows),
            np.array([programme in (None, row.programme) for row in rows], bool),
        )
        for epoch, rows in queries.issued().items()
    ]


def _note(sha256: str, by: Actor, now: datetime, data: dict[str, Any]) -> None:
    with log.transaction() as events:
        events.record(action="file.traced", actor=by, target=f"sha256:{sha256}", now=now, data=data)

"""Copies, one after the other: the native frames once more through the encode pass, with a number of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from django.db import InterfaceError, OperationalError

from core import clock
from generation import keys
from generation.errors import RenderCancelled, Transient
from generation.keys import NoKey
from generation.queries.told import told
from generation.services import copies, credentials, files, marks, scratch
from generation.services.copyjobs import Job
from generation.spec import CopyMark, VisibleMark
from generation.worker import signing, sources
from generation.worker.beat import Beat
from generation.worker.leaving import leaving
from generation.worker.pulse import pulse
from generation.worker.writing import surely

if TYPE_CHECKING:
    from generation.media.plan import Codec
    from generation.spec import FileMade, MarkStyle

logger = logging.getLogger(__name__)

_BEAT: Final = 15.0  # seconds between two words that the copy is still being made
_LONGEST: Final = 1800.0  # seconds; ten of 1080p take some forty on two processors


def drain(*, first: Callable[[], int] = lambda: 0) -> int:
    """Make what waits, and say how much was taken up; `first` is done before each copy, as it takes a moment only."""
    renew_spares()
    taken = first()
    while not leaving.wanted and signing.possible() and make_next():
        taken += 1 + first()
    return taken


_renewed_for = ""


def renew_spares() -> None:
    """Once for each key that becomes the newest. One that is not in this worker's file may be newer, and is left."""
    global _renewed_for  # noqa: PLW0603 - a worker's own, forgotten with it
    try:
        *older, key = keys.ring().masters
        if key != _renewed_for and (count := copies.renew_spares(older=older, now=clock.now())):
            logger.info("%d spare copies are made anew under the key %s", count, key)
        _renewed_for = key
    except keys.NoKey:
        logger.exception("no copy can be made")


def make_next() -> bool:
    """Take up one copy, what somebody waits for before a spare. False when nothing waits."""
    job = copies.claim_next(now=clock.now())
    if job is None:
        return False
    try:
        make(job)
    except RenderCancelled:
        logger.info("copy %d of %s is not wanted any more, or not from this worker", job.copy, job.video)
        if leaving.overdue > 0:
            surely(partial(copies.hand_back, job=job, now=clock.now()))
    except Exception as fault:
        logger.exception("copy %d of %s failed", job.copy, job.video)
        # Another worker may have the key that this one lacks, while a new one is handed round.
        passing = isinstance(fault, (Transient, NoKey, OperationalError, InterfaceError))
        surely(partial(copies.fail, job=job, error=str(fault), transient=passing, now=clock.now()))
    return True


def make(job: Job) -> bool:
    """Encode, sign, store and finish one copy. False when it was no longer ours: then nothing of it is left.

    Raises RenderCancelled when that is known sooner, or this worker has to leave; then nothing was stored.
    """
    with (
        pulse.keeping(
            lambda: copies.prolong(job=job, now=clock.now()), every=_BEAT, longest=_LONGEST
        ) as beat,
        scratch.folder() as name,
        scratch.folder() as apart,
    ):
        made = _encoded(job, beat, Path(name), Path(apart))
        if beat.stopped():
            raise RenderCancelled
        keys = files.keep(job.video, job.lease, made)
        finished = surely(
            lambda: copies.finish(job=job, files=made, keys=keys, now=clock.now()),
            written=lambda: copies.has_finished(keys=keys),
        )
    if finished:
        return True
    for key in keys.values():
        files.store().delete(key)
    return False


def _encoded(job: Job, beat: Beat, folder: Path, apart: Path) -> tuple[FileMade, ...]:
    """The files in `folder`, signed; the native frames are opened in `apart`."""
    from generation.media.plan import Plan
    from generation.media.probe import source_frames
    from generation.pipeline import copy

    issued = marks.issued_as(job.mark)
    return copy(
        source_frames(sources.opened(job.native, apart)),
        plan=Plan(
            native=job.native_size,
            native_count=job.native_count,
            size=job.size,
            seconds=job.seconds,
            fps=job.fps,
            codec=cast("Codec", job.codec),
        ),
        frames_sha256=job.frames_sha256,
        mark=CopyMark(
            VisibleMark(programme=job.mark_text, code=job.code),
            cast("MarkStyle", job.style),
            issued.forensic,
        ),
        folder=folder,
        cancelled=beat.stopped,
        sign=credentials.sign_for(replace(told(job.video), author=job.author or None), issued),
    )

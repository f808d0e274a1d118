"""Copies, one after the other: the native frames once more through the encode pass, with a number of their own."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from django.db import InterfaceError, OperationalError

from core import clock
from generation.errors import RenderCancelled, Transient
from generation.queries.told import told
from generation.services import copies, credentials, files, marks
from generation.services.copies import Job
from generation.spec import CopyMark, VisibleMark
from generation.worker import scratch, sources
from generation.worker.leaving import leaving
from generation.worker.writing import surely

if TYPE_CHECKING:
    from generation.media.plan import Codec
    from generation.spec import MarkStyle

logger = logging.getLogger(__name__)

_BEAT: Final = 15.0  # seconds between two words that the copy is still being made


def drain() -> int:
    """Make what waits, and say how many copies were taken up."""
    taken = 0
    while not leaving.wanted and make_next():
        taken += 1
    return taken


def make_next() -> bool:
    """Take up one copy, what somebody waits for before a spare. False when nothing waits."""
    job = copies.claim_next(now=clock.now())
    if job is None:
        return False
    try:
        make(job)
    except RenderCancelled:
        logger.info("copy %d of %s is not wanted any more", job.copy, job.video)
    except Exception as fault:
        logger.exception("copy %d of %s failed", job.copy, job.video)
        passing = isinstance(fault, (Transient, OperationalError, InterfaceError))
        surely(partial(copies.fail, job=job, error=str(fault), transient=passing, now=clock.now()))
    return True


def make(job: Job) -> bool:
    """Encode, sign, store and finish one copy. False when it was no longer ours: then nothing of it is left."""
    from generation.media.plan import Plan
    from generation.media.probe import source_frames
    from generation.pipeline import copy

    plan = Plan(
        native=job.native_size,
        native_count=job.native_count,
        size=job.size,
        seconds=job.seconds,
        fps=job.fps,
        codec=cast("Codec", job.codec),
    )
    issued = marks.issue(now=clock.now())
    mark = CopyMark(
        VisibleMark(programme=job.mark_text, code=job.code), cast("MarkStyle", job.style), issued.forensic
    )
    with scratch.folder() as name, scratch.folder() as apart:
        made = copy(
            source_frames(sources.opened(job.native, Path(apart))),
            plan=plan,
            frames_sha256=job.frames_sha256,
            mark=mark,
            folder=Path(name),
            cancelled=_Beat(job).stopped,
            sign=credentials.sign_for(told(job.video), issued),
        )
        keys = files.keep(job.video, job.lease, made)
    finished = surely(
        lambda: copies.finish(job=job, files=made, keys=keys, issued=issued, now=clock.now()),
        written=lambda: copies.has_finished(job=job, issued=issued),
    )
    if finished:
        return True
    for key in keys.values():
        files.store().delete(key)
    return False


class _Beat:
    """Prolongs the lease while it is asked whether to stop."""

    def __init__(self, job: Job) -> None:
        self._job, self._last = job, time.monotonic()

    def stopped(self) -> bool:
        if time.monotonic() - self._last < _BEAT:
            return False
        self._last = time.monotonic()
        try:
            return not copies.prolong(job=self._job, now=clock.now())
        except (OperationalError, InterfaceError):  # it is asked again, and finishing asks at last
            return False

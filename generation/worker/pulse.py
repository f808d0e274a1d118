"""One thread for a process: keeps leases, ends what outstays its limit, and reports that the worker lives."""

from __future__ import annotations

import faulthandler
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from django.db import connection

from core import clock
from generation.services import lifecycle, workers
from generation.services.queueing import Claim
from generation.worker.beat import Beat
from generation.worker.held import Held
from generation.worker.leaving import leaving

logger = logging.getLogger(__name__)

_TICK = 1.0
_HANGS = 120.0  # seconds after which whatever else is at work is left to itself
_STUCK = 10.0  # seconds after which a render that does not look at its limits is left to itself
EXIT_HARD_LIMIT, EXIT_LEFT = 70, 0


class Pulse:
    """`name` is the worker's once it has reported itself; a process without one only keeps its leases."""

    def __init__(self) -> None:
        self.name = ""
        self.describe: Callable[[], list[dict[str, Any]]] = list
        self.finished = self.failed = 0
        self._held: Held | None = None
        self._beats: list[Beat] = []
        self._watching = threading.Lock()  # what has ended is not watched any more, from that moment on
        self._beaten_at = time.monotonic()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
            self._thread.start()

    @contextmanager
    def holding(self, claims: Sequence[Claim]) -> Iterator[Held]:
        """Keep the leases of these takes alive meanwhile."""
        self.start()
        self._held = held = Held(claims)
        try:
            yield held
        finally:
            with self._watching:
                self._held = None
                if held.armed_for:
                    faulthandler.cancel_dump_traceback_later()

    @contextmanager
    def keeping(
        self, prolong: Callable[[], bool], *, every: float, longest: float = math.inf
    ) -> Iterator[Beat]:
        """Keep the lease of anything else alive meanwhile, as `Beat` says."""
        self.start()
        beat = Beat(prolong, every=every, longest=longest)
        self._beats.append(beat)
        try:
            yield beat
        finally:
            self._beats.remove(beat)

    def _run(self) -> None:
        while True:
            time.sleep(_TICK)
            try:
                self._tick()
            except Exception:  # the database may be away for a moment; a lease outlives three beats
                logger.exception("a heartbeat failed")
                connection.close()

    def _tick(self) -> None:
        with self._watching:
            held = self._held
            if held is not None and self.name:
                self._watch(held)
        beats = tuple(self._beats)
        if any(beat.overdue > _HANGS for beat in beats):
            # What does not look at its lease any more hangs in code that is not ours, and so would all that waits.
            logger.error("what this worker does has not ended in its time; it ends")
            os._exit(EXIT_HARD_LIMIT)
        due = time.monotonic() - self._beaten_at >= lifecycle.HEARTBEAT
        if not beats and not due:
            return
        try:
            for beat in beats:
                beat.keep()
            if due:
                self._beat(held)
                self._beaten_at = time.monotonic()  # where it failed, the next tick tries again
        finally:
            if self.name:
                connection.close_if_unusable_or_obsolete()
            else:
                connection.close()

    def _beat(self, held: Held | None) -> None:
        claims = held.claims if held is not None else []
        if held is not None and claims:
            kept = lifecycle.heartbeats(leases=[claim.lease for claim in claims], now=clock.now())
            for claim in claims:
                if claim.lease not in kept:
                    held.lost(claim.lease)
        if self.name:
            workers.seen(
                name=self.name,
                video=claims[0].video if claims else "",
                finished=self.finished,
                failed=self.failed,
                held=self.describe(),
                now=clock.now(),
            )

    def _watch(self, held: Held) -> None:
        if held.armed_for != held.hard_limit:
            # In C, so that it fires even while something holds the interpreter's lock.
            held.armed_for = held.hard_limit
            left = max(1.0, held.hard_limit - held.seconds + _STUCK)
            faulthandler.dump_traceback_later(left, exit=True, file=sys.__stderr__ or 2)
        if held.seconds > held.hard_limit:
            self._end(
                EXIT_HARD_LIMIT,
                held,
                lambda claim: lifecycle.crash(
                    claim=claim, error=f"hard limit of {held.hard_limit} s", now=clock.now()
                ),
            )
        if leaving.overdue > _STUCK:
            self._end(EXIT_LEFT, held, lambda claim: lifecycle.hand_back(claim=claim, now=clock.now()))

    def _end(self, status: int, held: Held, give_up: Callable[[Claim], bool]) -> NoReturn:
        """The renderer does not listen: say what becomes of its takes, and end the process; another one is started."""
        try:
            for claim in held.claims:
                logger.error("%s does not stop after %.0f s; this worker ends", claim.video, held.seconds)
                give_up(claim)
            workers.stopped(name=self.name, now=clock.now())
        finally:
            os._exit(status)


pulse = Pulse()

"""A lease that is kept while its work is done, whatever the work is at: reading, encoding, signing, storing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from generation.worker.leaving import leaving


class Beat:
    """Shared by the thread that works, which asks whether to stop, and the one that keeps leases, which prolongs.

    `prolong` says whether the lease is still ours. It is kept for `longest` seconds at most where the work has no limit
    of its own: what hangs would keep it for ever.
    """

    def __init__(self, prolong: Callable[[], bool], *, every: float, longest: float = math.inf) -> None:
        self._prolong, self._every, self._longest = prolong, every, longest
        self._began = self._last = time.monotonic()
        self._lost = False

    def stopped(self) -> bool:
        """Nobody waits for the work any more, somebody else has it, or this worker has to leave."""
        return self._lost or leaving.overdue > 0

    @property
    def overdue(self) -> float:
        """Seconds since the work should have ended; negative before that."""
        return time.monotonic() - self._began - self._longest

    def keep(self) -> None:
        """Prolong the lease if it is time. Where the database does not answer, it is asked again the next time."""
        now = time.monotonic()
        if self._lost or now - self._last < self._every:
            return
        self._lost = now - self._began > self._longest or not self._prolong()
        self._last = now

"""Whether this process was asked to leave, and how much longer the render at hand may take."""

from __future__ import annotations

import time
from typing import Any

from celery.signals import worker_shutting_down
from django.conf import settings


class Leaving:
    """The first signal lets the render at hand go on for `WORKER_DRAIN_SECONDS`, the second one not at all."""

    def __init__(self) -> None:
        self._signals = 0
        self._since: float | None = None

    def note(self, *, at_once: bool = False) -> None:
        self._signals += 2 if at_once else 1
        if self._since is None:
            self._since = time.monotonic()

    @property
    def wanted(self) -> bool:
        """Nothing new is begun."""
        return self._since is not None

    @property
    def overdue(self) -> float:
        """Seconds since the render at hand should have been given up; negative before that."""
        if self._since is None:
            return float("-inf")
        grace = settings.WORKER_DRAIN_SECONDS if self._signals < 2 else 0
        return time.monotonic() - self._since - grace

    def forget(self) -> None:
        """For tests that leave more than once."""
        self._signals, self._since = 0, None


leaving = Leaving()


@worker_shutting_down.connect
def _leave(how: str = "Warm", **_: Any) -> None:
    leaving.note(at_once=how != "Warm")

"""Keeps a set of services running: restarts what dies, and stops them all in order."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from embedded.failures import CannotStart

STEADY_SECONDS = 60.0
LONGEST_PAUSE = 30.0


class Service(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def alive(self) -> bool: ...
    def start(self) -> None: ...
    def ask_to_stop(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


@dataclass
class _Kept:
    service: Service
    floor: int
    started_at: float
    failures: int = 0
    due: float | None = field(default=None)


class Keeper:
    """`say` is called with a sentence whenever something dies or comes back. Used from one lasting thread."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._kept: list[_Kept] = []

    def start(self, service: Service, *, floor: int) -> None:
        """Start it and keep it running. What stands on a higher floor is stopped first."""
        kept = _Kept(service, floor, time.monotonic())
        self._kept.append(kept)  # before it starts: whatever happens, it will be stopped
        service.start()

    def fallen(self) -> list[Service]:
        return [kept.service for kept in self._kept if not kept.service.alive]

    def look(self) -> None:
        """Plan a restart for what has died, and restart what is due. Call it several times a second."""
        now = time.monotonic()
        for kept in self._kept:
            if kept.service.alive:
                if kept.failures and now - kept.started_at > STEADY_SECONDS:
                    kept.failures = 0
            elif kept.due is None:
                pause = pause_before(kept.failures)
                kept.failures, kept.due = kept.failures + 1, now + pause
                self._say(f"{kept.service.name} has ended; starting it again in {pause:.0f} s")
            elif now >= kept.due:
                self._restart(kept)

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """From the highest floor down. `hurry` is asked all the time: once it says yes, nobody is waited for,
        but for the lowest floor, whose data is worth the second that it takes.
        """
        lowest = min((kept.floor for kept in self._kept), default=0)
        for floor in sorted({kept.floor for kept in self._kept}, reverse=True):
            services = [kept.service for kept in self._kept if kept.floor == floor]
            for service in services:
                service.ask_to_stop()
            self._await(services, (lambda: False) if floor == lowest else hurry)
        self._kept.clear()

    @staticmethod
    def _await(services: list[Service], hurry: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 12
        while any(service.alive for service in services) and time.monotonic() < deadline and not hurry():
            time.sleep(0.02)
        for service in services:
            service.kill()

    def _restart(self, kept: _Kept) -> None:
        kept.due, kept.started_at = None, time.monotonic()
        try:
            kept.service.start()
        except CannotStart as error:
            self._say(str(error))
        else:
            self._say(f"{kept.service.name} runs again")


def pause_before(failures: int) -> float:
    """Seconds: 1, 2, 4 … 30. Short for an accident, long for a thing that cannot run."""
    return min(LONGEST_PAUSE, float(2**failures))

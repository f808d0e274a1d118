"""The takes that this process renders at present: are they still wanted, and how long may they take?"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Sequence
from uuid import UUID

from generation import progress
from generation.services.queueing import Claim
from generation.worker.leaving import leaving

_GLANCE = 0.05  # seconds; steps that are shorter are not worth a question each
_TELL = 0.1


class Why(enum.Enum):
    """Why a render should not go on."""

    UNWANTED = "stopped by its artist, or given up for lost"
    TOO_LONG = "the soft limit has passed"
    LEAVING = "the worker was asked to leave"


class Held:
    """Shared by the thread that renders and the one that keeps the leases."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.began = time.monotonic()
        self.soft_limit = self.hard_limit = 0
        self.armed_for = 0  # the hard limit that the process will be ended by, once it is watched
        self._claims: list[Claim] = []
        self._unwanted: set[UUID] = set()
        self._changing = threading.Lock()
        # Its claim has just been told, and nobody can have stopped it sooner than somebody sees it.
        self._asked_at = self._told_at = self.began
        self.add(claims)

    def add(self, claims: Sequence[Claim]) -> None:
        """Others that go through the same forward. They share its time, so that it may take longer."""
        with self._changing:
            self._claims += claims
            self.soft_limit = max(claim.soft_limit for claim in self._claims) * len(self._claims)
            self.hard_limit = max(claim.hard_limit for claim in self._claims) * len(self._claims)

    @property
    def claims(self) -> list[Claim]:
        """What has not ended yet."""
        with self._changing:
            return list(self._claims)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def ended(self, claim: Claim) -> None:
        with self._changing:
            self._claims = [other for other in self._claims if other.lease != claim.lease]

    def lost(self, lease: UUID) -> None:
        """The lease is somebody else's, or nobody's, now."""
        with self._changing:
            self._unwanted.add(lease)

    def unwanted(self, claim: Claim) -> bool:
        self._ask()
        return claim.lease in self._unwanted

    def why_not(self, claims: Sequence[Claim]) -> Why | None:
        """Why a render of these takes should not go on; asked at each denoising step. None: it should."""
        if self.seconds > self.soft_limit:
            return Why.TOO_LONG
        if leaving.overdue >= 0:
            return Why.LEAVING
        self._ask()
        return Why.UNWANTED if all(claim.lease in self._unwanted for claim in claims) else None

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._asked_at < _GLANCE:
            return
        self._asked_at = now
        stopped = progress.asked_to_stop([claim.lease for claim in self.claims])
        with self._changing:
            self._unwanted |= stopped

    def tell(self, claims: Sequence[Claim], phase: str, done: int, total: int) -> None:
        """Publish how far they are, a few times a second at most."""
        now = time.monotonic()
        if now - self._told_at < _TELL:
            return
        self._told_at = now
        progress.publish(
            *(claim.video for claim in claims), state="in_progress", done=done, total=total, phase=phase
        )

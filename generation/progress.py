"""Progress is published, not committed: only states are durable.

One channel for the deployment, so that a web process needs one subscription; and one short-lived key for
each video, so that whoever comes late knows where it stands. Redis being away costs the picture of the
progress, never a render.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

RENDERING, ENCODING = "rendering", "encoding"
_KEPT = 180  # seconds


@dataclass(frozen=True, slots=True)
class Step:
    """`done` of `total` in a phase: denoising steps while "rendering", frames while "encoding"."""

    done: int
    total: int
    phase: str = RENDERING

    @property
    def percent(self) -> int:
        """Of the rendering; what follows is the last percent."""
        if self.phase != RENDERING:
            return 99
        return min(99, 100 * self.done // self.total) if self.total else 0


def channel() -> str:
    return f"{settings.DEPLOYMENT}:progress"


def _key(video: str) -> str:
    return f"{settings.DEPLOYMENT}:progress:{video}"


def _stop_key(lease: UUID) -> str:
    return f"{settings.DEPLOYMENT}:stop:{lease}"


@cache
def client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1, decode_responses=True
    )


def publish(*videos: str, state: str, done: int = 0, total: int = 0, phase: str = RENDERING) -> None:
    """Tell whoever watches these videos (public ids) that they moved. One round trip."""
    try:
        pipe = client().pipeline(transaction=False)
        for video in videos:
            pipe.set(_key(video), f"{done}/{total}/{phase}", ex=_KEPT)
            message = {"video": video, "state": state, "done": done, "total": total, "phase": phase}
            pipe.publish(channel(), json.dumps(message))
        pipe.execute()
    except redis.RedisError as error:
        logger.warning("progress of %s was not published: %s", ", ".join(videos), error)


def latest(videos: Iterable[str]) -> dict[str, Step]:
    """The last published step of each video that has one."""
    names = list(videos)
    if not names:
        return {}
    try:
        values = client().mget([_key(name) for name in names])
    except redis.RedisError:
        return {}
    found = {}
    for name, value in zip(names, values, strict=True):
        if value:
            done, total, phase = str(value).split("/")
            found[name] = Step(int(done), int(total), phase)
    return found


def ask_to_stop(lease: UUID) -> None:
    """Tell the worker that holds `lease` that nobody wants this render any more."""
    try:
        client().set(_stop_key(lease), 1, ex=3600)
    except redis.RedisError as error:
        logger.warning("the worker will learn at its next heartbeat: %s", error)


def asked_to_stop(leases: Sequence[UUID]) -> set[UUID]:
    """Which of these renders nobody wants any more. One round trip."""
    try:
        answers = client().mget([_stop_key(lease) for lease in leases]) if leases else []
    except redis.RedisError:
        return set()
    return {lease for lease, answer in zip(leases, answers, strict=True) if answer}


def may_wake(queue: str) -> bool:
    """True when no message that would wake a worker of this queue is on its way; it is then noted that one is.

    The worker takes the note away before it looks, so that what was queued before is seen by whoever comes. The note
    falls by itself after a few seconds, in case its message was lost.
    """
    return _first(f"woken:{queue}", seconds=5)


def woke_up(queue: str) -> None:
    """A message has arrived; whatever is queued from now on needs another."""
    try:
        client().delete(f"{settings.DEPLOYMENT}:woken:{queue}")
    except redis.RedisError:
        logger.warning("workers of %s are woken a few seconds late", queue)


def may_sweep(queue: str) -> bool:
    """True once in 15 s for each queue: the sweeper must not pile up messages behind a long render."""
    return _first(f"swept:{queue}", seconds=15)


def _first(name: str, *, seconds: int) -> bool:
    try:
        return bool(client().set(f"{settings.DEPLOYMENT}:{name}", 1, nx=True, ex=seconds))
    except redis.RedisError:
        return False

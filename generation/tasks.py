from __future__ import annotations

from celery import shared_task

from core import clock
from generation.services import lifecycle
from generation.worker import run


@shared_task(name="generation.wake")
def wake(*, lane: str) -> int:
    """Render what waits in a queue until nothing does."""
    return run.drain(lane)


@shared_task(name="generation.sweep")
def sweep() -> None:
    now = clock.now()
    lifecycle.reap(now=now)
    lifecycle.wake_waiting(now=now)

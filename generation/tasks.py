from __future__ import annotations

from celery import shared_task

from core import clock, enqueue
from generation import progress
from generation.services import copies, files, lifecycle, queueing, stills, traces, workers
from generation.worker import copies as copying
from generation.worker import run, startup, tracing
from generation.worker import stills as stilling

__all__ = ["copy", "startup", "sweep", "trace", "wake"]  # whoever has the tasks checks itself when it starts


@shared_task(name="generation.wake")
def wake(*, lane: str) -> int:
    """Render what waits in a queue until nothing does."""
    progress.woke_up(lane)
    return run.drain(lane)


@shared_task(name=copies.TASK)
def copy() -> int:
    """Make the copies that wait, and the frames that somebody wants to start from, which take a moment, before each."""
    enqueue.arrived(copies.TASK)
    return copying.drain(first=stilling.drain)


@shared_task(name=traces.TASK)
def trace() -> int:
    """Look into the files that wait."""
    enqueue.arrived(traces.TASK)
    return tracing.drain()


@shared_task(name="generation.sweep")
def sweep() -> None:
    now = clock.now()
    lifecycle.reap(now=now)
    lifecycle.wake_waiting(now=now)
    queueing.copy_deep_lines(now=now)
    copies.wake_waiting(now=now)
    stills.wake_waiting(now=now)
    traces.wake_waiting(now=now)
    workers.sweep(now=now)
    files.store().sweep(now=now)

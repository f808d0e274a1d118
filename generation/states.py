"""The states of a video (the job, named as in the public API) and of an attempt at it."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from core.states import Transitions


class VideoState(models.TextChoices):
    QUEUED = "queued", "queued"
    IN_PROGRESS = "in_progress", "rendering"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "stopped"


TRANSITIONS: Transitions[VideoState] = {
    VideoState.QUEUED: frozenset({VideoState.IN_PROGRESS, VideoState.CANCELLED}),
    # back to queued: the worker was lost, or what failed may pass
    VideoState.IN_PROGRESS: frozenset(
        {VideoState.COMPLETED, VideoState.FAILED, VideoState.CANCELLED, VideoState.QUEUED}
    ),
    VideoState.COMPLETED: frozenset(),
    VideoState.FAILED: frozenset(),
    VideoState.CANCELLED: frozenset(),
}
START = (VideoState.QUEUED,)
OPEN = frozenset({VideoState.QUEUED, VideoState.IN_PROGRESS})


WORKER_GONE = timedelta(seconds=60)
"""A worker that was not seen for so long is not there."""


class Relation(models.TextChoices):
    """How a clip comes from another one."""

    REMIX = "remix", "remixed from"
    EXTEND = "extend", "goes on from"
    FINAL = "final", "final of"
    AGAIN = "again", "rendered again from"


class CopyState(models.TextChoices):
    WAITING = "waiting", "waiting"
    MAKING = "making", "being made"
    READY = "ready", "ready"
    FAILED = "failed", "failed"


COPY: Transitions[CopyState] = {
    CopyState.WAITING: frozenset({CopyState.MAKING, CopyState.FAILED}),  # failed: its clip was deleted
    # back to waiting: what failed may pass. Whose lease runs out is taken over where it stands.
    CopyState.MAKING: frozenset({CopyState.READY, CopyState.WAITING, CopyState.FAILED}),
    CopyState.READY: frozenset({CopyState.WAITING}),  # a public one that is not as its artist wishes any more
    CopyState.FAILED: frozenset({CopyState.WAITING}),  # asked for again
}
COPY_START = (CopyState.WAITING,)


class TraceState(models.TextChoices):
    WAITING = "waiting", "waiting"
    RUNNING = "running", "running"
    DONE = "done", "done"
    REFUSED = "refused", "not readable"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "stopped"


TRACE: Transitions[TraceState] = {
    TraceState.WAITING: frozenset({TraceState.RUNNING, TraceState.CANCELLED}),
    # Whose lease runs out is taken over where it stands, and given up after two tries. Back to waiting: handed back.
    TraceState.RUNNING: frozenset(
        {
            TraceState.DONE,
            TraceState.REFUSED,
            TraceState.FAILED,
            TraceState.CANCELLED,
            TraceState.WAITING,
        }
    ),
    TraceState.DONE: frozenset(),
    TraceState.REFUSED: frozenset(),
    TraceState.FAILED: frozenset(),
    TraceState.CANCELLED: frozenset(),
}
TRACE_START = (TraceState.WAITING,)
TRACE_OPEN = frozenset(state for state, after in TRACE.items() if after)


EVERYBODY = "everybody"
"""The recipient of the public copy."""


class Purpose(models.TextChoices):
    """What a copy was handed out for."""

    MASTER = "master", "the artist's own copy"
    SCREENING = "screening", "a screening copy"
    EXPORT = "export", "an export"
    TOKEN = "token", "a program's download"
    PUBLIC = "public", "the public copy"
    SPARE = "spare", "a copy that nobody was handed yet"


class AttemptEnd(models.TextChoices):
    FINISHED = "finished", "finished"
    FAILED = "failed", "failed"
    LOST = "lost", "worker lost"
    CANCELLED = "cancelled", "stopped"
    RELEASED = "released", "handed back"

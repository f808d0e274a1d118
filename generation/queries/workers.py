"""Who renders, what waits for them, and what was set aside: for the office and for metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Min, Q, QuerySet, Value

from generation.models import Attempt, Copy, ModelVariant, Trace, Video, Worker
from generation.states import WORKER_GONE, CopyState, TraceState, VideoState

_STANDS_STILL: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class WorkerView:
    """`held` has a dict for each checkpoint in memory; `video` is what it renders now, the first of several takes."""

    name: str
    lanes: tuple[str, ...]
    kind: str
    held: tuple[dict[str, Any], ...]
    video: str
    finished: int
    failed: int
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None
    alive: bool


@dataclass(frozen=True, slots=True)
class LaneView:
    """A queue now; `waiting_since` is when the oldest that waits was queued."""

    queue: str
    queued: int
    running: int
    waiting_since: datetime | None
    workers: int


@dataclass(frozen=True, slots=True)
class SetAsideView:
    public_id: str
    variant_slug: str
    finished_at: datetime | None
    worker: str
    error: str


def workers(now: datetime) -> list[WorkerView]:
    """Those of the last day, the living first, and what each renders now. Two statements."""
    leases = Video.objects.filter(state=VideoState.IN_PROGRESS).order_by("-take")
    at_hand = dict(leases.values_list("lease_worker", "public_id"))
    rows = [_worker(row, at_hand.get(row.name, ""), now) for row in Worker.objects.all()]
    return sorted(rows, key=lambda row: (not row.alive, row.name))


def lanes(now: datetime) -> list[LaneView]:
    """Every queue that a variant has. Two statements."""
    alive = list(Worker.objects.filter(stopped_at=None, seen_at__gt=now - WORKER_GONE))
    may_start = Q(videos__state=VideoState.QUEUED)
    rows = (
        ModelVariant.objects.values("queue")
        .annotate(
            queued=Count("videos", filter=may_start),
            running=Count("videos", filter=Q(videos__state=VideoState.IN_PROGRESS)),
            waiting_since=Min("videos__queued_at", filter=may_start),
        )
        .order_by("queue")
    )
    return [LaneView(**row, workers=sum(row["queue"] in worker.lanes for worker in alive)) for row in rows]


@dataclass(frozen=True, slots=True)
class BacklogView:
    """What waits of one kind of work that is no render; `since`: when the oldest of it was asked for."""

    waiting: int
    running: int
    since: datetime | None

    def stands_still(self, now: datetime) -> bool:
        """Nobody is at it, and somebody has waited for longer than any worker lets them."""
        return self.since is not None and not self.running and now - self.since > _STANDS_STILL


_NOTHING: Final = BacklogView(0, 0, None)


def backlogs() -> dict[str, BacklogView]:
    """Of copies and of traces. One statement."""
    copies = _backlog("copies", Copy.objects.all(), CopyState.WAITING, CopyState.MAKING)
    traces = _backlog("tracing", Trace.objects.all(), TraceState.WAITING, TraceState.RUNNING)
    found = {row.pop("work"): BacklogView(**row) for row in copies.union(traces, all=True)}
    return {"copies": _NOTHING, "tracing": _NOTHING} | found


def _backlog(work: str, rows: QuerySet[Any], waits: str, runs: str) -> QuerySet[Any, dict[str, Any]]:
    """A row, or none where the table is empty."""
    counted: QuerySet[Any, dict[str, Any]] = (
        rows.order_by()
        .annotate(work=Value(work))
        .values("work")
        .annotate(
            waiting=Count("pk", filter=Q(state=waits)),
            running=Count("pk", filter=Q(state=runs)),
            since=Min("asked_at", filter=Q(state=waits)),
        )
    )
    return counted


def set_aside(limit: int = 100) -> list[SetAsideView]:
    """Videos that ended two workers, the latest first. One statement."""
    ended = Attempt.objects.filter(
        video__error_code="set_aside", video__state=VideoState.FAILED, number=F("video__attempts_made")
    )
    rows = ended.select_related("video__variant").order_by("-video__finished_at", "-video_id")[:limit]
    return [
        SetAsideView(
            row.video.public_id, row.video.variant.slug, row.video.finished_at, row.worker, row.error
        )
        for row in rows
    ]


def _worker(row: Worker, video: str, now: datetime) -> WorkerView:
    return WorkerView(
        name=row.name,
        lanes=tuple(row.lanes),
        kind=row.kind,
        held=tuple(row.held),
        video=video,
        finished=row.finished,
        failed=row.failed,
        started_at=row.started_at,
        seen_at=row.seen_at,
        stopped_at=row.stopped_at,
        alive=row.stopped_at is None and now - row.seen_at < WORKER_GONE,
    )


@dataclass(frozen=True, slots=True)
class LaneVariant:
    """What a worker must know of a variant whose queue it takes. Limits in seconds."""

    slug: str
    queue: str
    backend: str
    checkpoint: str
    hard_limit: int
    priority: int
    enabled: bool


def lane_variants(lanes: Sequence[str]) -> list[LaneVariant]:
    """The variants of these queues, the most urgent first. One statement."""
    rows = ModelVariant.objects.filter(queue__in=lanes).order_by("-priority", "position", "slug", "id")
    return [
        LaneVariant(
            row.slug, row.queue, row.backend, row.checkpoint, row.hard_limit, row.priority, row.enabled
        )
        for row in rows
    ]


def queues() -> list[str]:
    """Every queue that a variant has. One statement."""
    return list(ModelVariant.objects.order_by("queue").values_list("queue", flat=True).distinct())

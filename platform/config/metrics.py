"""Queues, workers, copies and traces in Prometheus' text format, read from the database at each scrape."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core import clock
from generation.queries import workers as queries
from generation.queries.workers import BacklogView, LaneView, WorkerView

_HELD = ("worker", "checkpoint", "digest", "hardware", "dtype", "rung")


class Rendering(Collector):
    """Five statements a scrape. A worker that was not seen for a minute is told with `up` 0, for a day."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """The families, each with a sample for every queue, worker or checkpoint in memory."""
        yield from _queues(queries.lanes(self._now), self._now)
        there = queries.workers(self._now)
        yield from _workers(there)
        yield from _checkpoints([worker for worker in there if worker.alive])
        yield from _backlogs(queries.backlogs(), self._now)


def _queues(lanes: list[LaneView], now: datetime) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("private_view_queue_waiting", "Renders that wait", labels=["queue"])
    running = GaugeMetricFamily("private_view_queue_running", "Renders in work", labels=["queue"])
    takers = GaugeMetricFamily("private_view_queue_workers", "Workers that take the queue", labels=["queue"])
    oldest = GaugeMetricFamily(
        "private_view_queue_oldest_wait_seconds",
        "How long the oldest that waits has waited",
        labels=["queue"],
    )
    for lane in lanes:
        since = lane.waiting_since
        waiting.add_metric([lane.queue], lane.queued)
        running.add_metric([lane.queue], lane.running)
        takers.add_metric([lane.queue], lane.workers)
        oldest.add_metric([lane.queue], (now - since).total_seconds() if since else 0)
    yield from (waiting, running, takers, oldest)


def _backlogs(found: dict[str, BacklogView], now: datetime) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("private_view_work_waiting", "Copies, traces that wait", labels=["work"])
    running = GaugeMetricFamily("private_view_work_running", "Copies, traces in work", labels=["work"])
    oldest = GaugeMetricFamily(
        "private_view_work_oldest_wait_seconds", "How long the oldest has waited", labels=["work"]
    )
    for work, backlog in found.items():
        waiting.add_metric([work], backlog.waiting)
        running.add_metric([work], backlog.running)
        oldest.add_metric([work], (now - backlog.since).total_seconds() if backlog.since else 0)
    yield from (waiting, running, oldest)


def _workers(there: list[WorkerView]) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "private_view_worker_up", "Whether the worker was seen of late", labels=["worker", "kind"]
    )
    busy = GaugeMetricFamily("private_view_worker_busy", "Whether it renders now", labels=["worker"])
    ended = CounterMetricFamily(
        "private_view_worker_renders", "Renders that it ended since it started", labels=["worker", "result"]
    )
    for worker in there:
        up.add_metric([worker.name, worker.kind], worker.alive)
        busy.add_metric([worker.name], bool(worker.video) and worker.alive)
        ended.add_metric([worker.name, "finished"], worker.finished)
        ended.add_metric([worker.name, "failed"], worker.failed)
    yield from (up, busy, ended)


def _checkpoints(alive: list[WorkerView]) -> Iterator[Metric]:
    """What each holds in memory, and what that cost; a change of rung shows as another series."""
    families = {
        "memory": GaugeMetricFamily(
            "private_view_checkpoint_memory_bytes", "Memory of the device, at most so far", labels=_HELD
        ),
        "load_seconds": GaugeMetricFamily(
            "private_view_checkpoint_load_seconds", "How long it took to load", labels=_HELD
        ),
        "warm_seconds": GaugeMetricFamily(
            "private_view_checkpoint_warm_seconds", "How long its first render took", labels=_HELD
        ),
        "at_once": GaugeMetricFamily(
            "private_view_checkpoint_takes_at_once", "Smallest takes that fit in a forward", labels=_HELD
        ),
    }
    for worker in alive:
        for held in worker.held:
            labels = [worker.name, *(str(held.get(name, "")) for name in _HELD[1:])]
            for name, family in families.items():
                family.add_metric(labels, held.get(name, 0))
    yield from families.values()


@require_safe
def view(request: HttpRequest) -> HttpResponse:
    """For who sends `Authorization: Bearer` with the token of the settings. Without a token there is no such page."""
    if not settings.METRICS_TOKEN:
        return HttpResponse("Metrics are off: PRIVATE_VIEW_METRICS_TOKEN is not set.\n", "text/plain", 404)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(
        given.strip().encode(), settings.METRICS_TOKEN.encode()
    ):
        refused = HttpResponse("Send the metrics token: Authorization: Bearer ….\n", "text/plain", 401)
        refused["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refused
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Rendering(clock.now()))
    response = HttpResponse(generate_latest(registry), CONTENT_TYPE_LATEST)
    response["Cache-Control"] = "no-store"
    return response

"""`manage.py workers`: who renders, what for, and since when."""

from __future__ import annotations

import dataclasses
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from core import clock
from generation.queries import workers as queries
from generation.queries.workers import LaneView, WorkerView


class Command(BaseCommand):
    help = "List the render workers of the last day, their checkpoints, and what waits in each queue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        workers, lanes = queries.workers(now), queries.lanes(now)
        if options["json"]:
            told = {
                "workers": [dataclasses.asdict(worker) for worker in workers],
                "queues": [dataclasses.asdict(lane) for lane in lanes],
            }
            self.stdout.write(json.dumps(told, default=str))
            return
        if not workers:
            self.stdout.write("No render worker was seen in the last day.")
        for worker in workers:
            self._tell_worker(worker, (now - worker.seen_at).total_seconds())
        for lane in lanes:
            self._tell_lane(lane, now)

    def _tell_worker(self, worker: WorkerView, ago: float) -> None:
        state = f"renders {worker.video}" if worker.video else "idle"
        if not worker.alive:
            state = "has left" if worker.stopped_at else "is gone"
        self.stdout.write(f"{worker.name}: {state}; seen {ago:.0f} s ago")
        self.stdout.write(f"  queues {', '.join(worker.lanes)}; {worker.kind or 'loading'}")
        self.stdout.write(f"  finished {worker.finished}, failed {worker.failed}")
        for held in worker.held:
            self.stdout.write(
                f"  {held['backend']} {held['checkpoint']} {held['digest'][:12]}: {held['device']} {held['dtype']}, "
                f"{held['memory'] / 2**20:.0f} MiB, loaded in {held['load_seconds']:.1f} s, warm in "
                f"{held['warm_seconds']:.1f} s, memory rung {held['rung']}, {held['at_once']} at once"
            )

    def _tell_lane(self, lane: LaneView, now: Any) -> None:
        since = lane.waiting_since
        waits = f", the oldest for {(now - since).total_seconds():.0f} s" if since else ""
        self.stdout.write(
            f"queue {lane.queue}: {lane.queued} wait{waits}; {lane.running} in work; {lane.workers} workers"
        )

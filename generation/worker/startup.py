"""Before a render worker takes anything: is it set up so that no render is lost, and does it hold what it serves?

A worker that takes no variant's queue is not concerned.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from celery.signals import celeryd_after_setup, worker_init, worker_shutdown
from django.db import connection

from core import clock
from generation.errors import EngineError, Transient
from generation.queries import workers as queries
from generation.queries.workers import LaneVariant
from generation.services import queueing, workers
from generation.worker import kinds, run
from generation.worker.pulse import pulse

if TYPE_CHECKING:
    from generation.backends.base import Backend

logger = logging.getLogger(__name__)


def lanes_of(consumed: Iterable[str]) -> list[str]:
    """The variants' queues among the broker's."""
    prefix = queueing.queue_name("")
    return [name.removeprefix(prefix) for name in consumed if name.startswith(prefix)]


def faults(worker: Any, variants: Sequence[LaneVariant], lanes: Sequence[str]) -> list[str]:
    """What breaks a render worker, each with what to change. `worker` is Celery's, before its pool is made."""
    conf = worker.app.conf
    found = []
    pool = worker.pool_cls if isinstance(worker.pool_cls, str) else worker.pool_cls.__module__
    if pool.rpartition(".")[2] != "solo" or worker.concurrency != 1:
        found.append(
            "A render worker is one process that renders one thing at a time, so that the model is in memory once and "
            f"its limits hold; this is --pool {pool.rpartition('.')[2]} --concurrency {worker.concurrency}. "
            "Start it with --pool solo --concurrency 1, and a second worker for a second GPU."
        )
    if worker.prefetch_multiplier != 1:
        found.append(
            f"worker_prefetch_multiplier is {worker.prefetch_multiplier}: messages would wait behind a render while "
            "another worker is idle. Set it to 1."
        )
    wake = worker.app.tasks.get("generation.wake")
    if not conf.task_acks_late or (wake is not None and not wake.acks_late):
        found.append("task_acks_late is off: a worker that dies would take its message with it. Turn it on.")
    return found + _time_faults(worker, variants) + _lane_faults(variants, lanes)


def _time_faults(worker: Any, variants: Sequence[LaneVariant]) -> list[str]:
    longest = max((variant.hard_limit for variant in variants), default=0)
    found = []
    for name, limit in (
        ("task_time_limit", worker.time_limit),
        ("task_soft_time_limit", worker.soft_time_limit),
    ):
        if limit and limit < longest + run.LONGEST_TURN:
            found.append(
                f"{name} is {limit:.0f} s, and a turn of rendering may take {longest + run.LONGEST_TURN:.0f} s. Leave "
                "it unset: each variant has limits of its own, which this worker keeps."
            )
    visible = (worker.app.conf.broker_transport_options or {}).get("visibility_timeout", 3600)
    if visible < longest + run.LONGEST_TURN:
        found.append(
            f"visibility_timeout is {visible} s, and a turn of rendering may take {longest + run.LONGEST_TURN:.0f} s: "
            "the broker would hand its message out again. Set it to more in broker_transport_options."
        )
    return found


def _lane_faults(variants: Sequence[LaneVariant], lanes: Sequence[str]) -> list[str]:
    known = {variant.queue for variant in variants}
    return [
        f"No variant has the queue “{lane}”, so nothing would ever be rendered from it. "
        f"There are: {', '.join(sorted(queries.queues())) or 'none'}."
        for lane in lanes
        if lane not in known
    ]


@worker_init.connect
def _check(sender: Any, **_: Any) -> None:
    try:
        _refuse_or_take(sender)
    except Exception as fault:  # noqa: BLE001 - Celery would note it and go on unchecked
        sys.exit(
            f"This worker does not start: its settings could not be checked. {type(fault).__name__}: {fault}"
        )


def _refuse_or_take(sender: Any) -> None:
    lanes = lanes_of(sender.app.amqp.queues.consume_from)
    if not lanes:
        return
    variants = queries.lane_variants(lanes)
    connection.close()
    if found := faults(sender, variants, lanes):
        sys.exit("This worker does not start.\n" + "\n".join(f"- {fault}" for fault in found))
    run.lanes = tuple(dict.fromkeys(variant.queue for variant in variants))


@celeryd_after_setup.connect
def _open(**_: Any) -> None:
    """Load and warm what the lanes need, and say so, before the first message is taken."""
    if not run.lanes:
        return
    try:
        _report_and_load()
    except Exception as fault:
        logger.exception("the worker could not be opened")
        raise SystemExit(1) from fault


def _report_and_load() -> None:
    pulse.name = run.worker_name()
    workers.report(name=pulse.name, lanes=run.lanes, kind="", held=[], now=clock.now())
    pulse.start()
    held = _load(queries.lane_variants(run.lanes))
    pulse.describe = lambda: [_told(variant, backend) for variant, backend in held]
    told = pulse.describe()
    kind = told[0]["kind"] if told else ""
    workers.report(name=pulse.name, lanes=run.lanes, kind=kind, held=told, now=clock.now())


def _load(variants: Sequence[LaneVariant]) -> list[tuple[LaneVariant, Backend]]:
    """Each checkpoint once, with the most urgent variant that has it, loaded and warm."""
    held: dict[tuple[str, str], tuple[LaneVariant, Backend]] = {}
    for variant in variants:
        place = (variant.backend, variant.checkpoint)
        if not variant.enabled or place in held:
            continue
        try:
            held[place] = (variant, _warm(variant))
        except Transient as fault:  # an outside server that is away: it is asked again when a job comes
            logger.warning("%s is not ready: %s", variant.slug, fault)
        except EngineError as fault:
            sys.exit(f"This worker does not start: the variant {variant.slug} cannot be loaded. {fault}")
    return list(held.values())


def _warm(variant: LaneVariant) -> Backend:
    from generation.backends import registry

    began = time.monotonic()
    backend = registry.load(variant.backend, variant.checkpoint)
    backend.warm()
    logger.info("%s is ready after %.1f s", variant.slug, time.monotonic() - began)
    return backend


def _told(variant: LaneVariant, backend: Backend) -> dict[str, Any]:
    """What the office and metrics hear of a checkpoint in memory."""
    capability = backend.capability()
    return {
        "backend": variant.backend,
        "checkpoint": variant.checkpoint
        if variant.backend != "remote"
        else "",  # its address may hold a token
        "digest": backend.checkpoint,
        "kind": kinds.kind_of(backend),
        "device": capability.device,
        "dtype": capability.dtype,
        "memory": capability.memory,
        "load_seconds": round(capability.load_seconds, 2),
        "warm_seconds": round(capability.warm_seconds, 2),
        "rung": capability.rung,
        "images": capability.images,
        "adapters": capability.adapters,
        "at_once": capability.at_once,
    }


@worker_shutdown.connect
def _close(**_: Any) -> None:
    if pulse.name:
        workers.stopped(name=pulse.name, now=clock.now())

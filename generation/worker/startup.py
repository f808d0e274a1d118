"""Before a render worker takes anything: is it set up so that no render is lost, and does it hold what it serves?

A worker that takes no variant's queue is not concerned.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from celery.signals import celeryd_after_setup, worker_init, worker_shutdown
from django.db import connection

from core import clock
from generation.errors import EngineError
from generation.queries import workers as queries
from generation.queries.workers import LaneVariant
from generation.rules import MOST_TAKES
from generation.services import copies, marks, queueing, scratch, traces, workers
from generation.worker import copies as copying
from generation.worker import run, shelf, signing
from generation.worker.pulse import pulse

logger = logging.getLogger(__name__)

_NOTICE = timedelta(days=30)


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


def key_faults(*, signs: bool) -> list[str]:
    """What of the keys is not there, or not what marks in the table were made under."""
    found = []
    for what, check in (("mark", marks.check_keys), *([("sign", _check_signer)] if signs else [])):
        try:
            check()
        except EngineError as fault:
            found.append(f"It could {what} nothing. {fault}")
    return found


def _check_signer() -> None:
    """What could sign nothing would lose each render at its very end."""
    holds_until = signing.check()
    if holds_until - clock.now() < _NOTICE:
        logger.warning("the certificate that signs files expires on %s: renew it, then restart", holds_until)


def _time_faults(worker: Any, variants: Sequence[LaneVariant]) -> list[str]:
    """The last job of a turn may be a request's takes in one forward, which have the time of all of them."""
    longest = max((variant.hard_limit for variant in variants), default=0) * MOST_TAKES + run.LONGEST_TURN
    found = []
    for name, limit in (
        ("task_time_limit", worker.time_limit),
        ("task_soft_time_limit", worker.soft_time_limit),
    ):
        if limit and limit < longest:
            found.append(
                f"{name} is {limit:.0f} s, and a turn of rendering may take {longest:.0f} s. Leave "
                "it unset: each variant has limits of its own, which this worker keeps."
            )
    visible = (worker.app.conf.broker_transport_options or {}).get("visibility_timeout", 3600)
    if visible < longest:
        found.append(
            f"visibility_timeout is {visible} s, and a turn of rendering may take {longest:.0f} s: "
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
    consumed = sender.app.amqp.queues.consume_from
    lanes = lanes_of(consumed)
    has_keys = lanes or {copies.queue_name(), traces.queue_name()} & set(consumed)
    if not has_keys:
        return
    variants = queries.lane_variants(lanes) if lanes else []
    found = key_faults(signs=bool(lanes) or copies.queue_name() in consumed)
    connection.close()
    if lanes:
        found += faults(sender, variants, lanes)
    if found:
        _refuse(found)
    if not lanes:
        scratch.sweep()
    if copies.queue_name() in consumed:
        copying.renew_spares()  # the next message may be a while, and spares are handed out meanwhile
        connection.close()
    shelf.lanes = tuple(dict.fromkeys(variant.queue for variant in variants))


def _refuse(found: Sequence[str]) -> NoReturn:
    sys.exit("This worker does not start.\n" + "\n".join(f"- {fault}" for fault in found))


@celeryd_after_setup.connect
def _open(**_: Any) -> None:
    """Load and warm what the lanes need, and say so, before the first message is taken."""
    if not shelf.lanes:
        return
    try:
        scratch.sweep()
        _report_and_load()
    except Exception as fault:
        logger.exception("the worker could not be opened")
        raise SystemExit(1) from fault


def _report_and_load() -> None:
    pulse.name = run.worker_name()
    workers.report(name=pulse.name, lanes=shelf.lanes, held=[], now=clock.now())
    pulse.start()
    shelf.stock()
    pulse.describe = shelf.told
    workers.report(name=pulse.name, lanes=shelf.lanes, held=shelf.told(), now=clock.now())


@worker_shutdown.connect
def _close(**_: Any) -> None:
    if pulse.name:
        workers.stopped(name=pulse.name, now=clock.now())

"""Claim, render, store, finish; again until nothing waits or the worker is asked to leave."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Sequence

from core import clock
from generation.errors import RenderCancelled, SpecRejected, Transient
from generation.services import lifecycle, queueing
from generation.services.queueing import Claim
from generation.worker import render
from generation.worker.held import Held, Why
from generation.worker.leaving import leaving
from generation.worker.pulse import pulse

logger = logging.getLogger(__name__)

LONGEST_TURN = 3600.0  # seconds; well inside the broker's visibility timeout, less the longest render
lanes: tuple[str, ...] = ()
"""What this process takes, the most urgent first; set when a worker starts."""


def worker_name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def drain(lane: str) -> int:
    """Render until the queue, and every other one that this worker takes, is empty. How many videos were taken up.

    A turn that grows too long for the broker ends with a new message instead.
    """
    taken, until = 0, time.monotonic() + LONGEST_TURN
    mine = tuple({lane, *lanes})
    while not leaving.wanted:
        if time.monotonic() > until:
            queueing.wake(lane)
            break
        claim = lifecycle.claim_next(lane=mine, worker=worker_name(), now=clock.now())
        if claim is None:
            break
        claims = [claim, *_takes(claim)]
        taken += len(claims)
        attempt(claims)
    return taken


def _takes(first: Claim) -> Sequence[Claim]:
    """The other takes of the same request that go through the same forward."""
    if not first.siblings:
        return ()
    try:
        most = render.backend_of(first).at_once(render.spec_of(first)) - 1
    except Exception:  # noqa: BLE001 - it will be met again, and told, when the first is rendered
        return ()
    return lifecycle.claim_takes(first=first, most=most, worker=worker_name(), now=clock.now())


def attempt(claims: Sequence[Claim]) -> None:
    """One try at takes that are rendered together; each ends in one of the ways that `_end` knows, or finished."""
    with pulse.holding(claims) as held:
        try:
            made = render.forward(claims, held)
        except Exception as fault:  # noqa: BLE001 - the worker must outlive any fault of one job
            for claim in claims:
                _end(claim, held, fault)
            return
        for claim, taken in zip(claims, made, strict=True):
            if held.unwanted(claim):
                held.ended(claim)  # its row has been ended by whoever stopped it
                continue
            try:
                pulse.finished += render.finish(claim, taken, held, results=len(claims))
                held.ended(claim)
            except Exception as fault:  # noqa: BLE001 - likewise
                _end(claim, held, fault)


def _end(claim: Claim, held: Held, fault: Exception) -> None:
    """End an attempt that gave no result."""
    now = clock.now()
    match fault:
        case RenderCancelled():
            _stop(claim, held)
        case SpecRejected():
            lifecycle.reject(claim=claim, code=fault.code, sentence=fault.sentence, now=now)
        case Transient():
            logger.warning("%s failed, and may pass: %s", claim.video, fault)
            lifecycle.fail(claim=claim, error=str(fault), transient=True, now=now)
        case _:
            logger.error("%s failed", claim.video, exc_info=fault)
            error = f"{type(fault).__name__}: {fault}"
            lifecycle.fail(claim=claim, error=error, transient=False, now=now)
    pulse.failed += not isinstance(fault, RenderCancelled)
    held.ended(claim)


def _stop(claim: Claim, held: Held) -> None:
    why = held.why_not([claim])
    logger.info("%s was stopped after %.1f s: %s", claim.video, held.seconds, (why or Why.UNWANTED).value)
    if why is Why.TOO_LONG:
        lifecycle.took_too_long(claim=claim, error=f"soft limit of {held.soft_limit} s", now=clock.now())
    elif why is Why.LEAVING:
        lifecycle.hand_back(claim=claim, now=clock.now())

"""Claim, render, store, finish; again until nothing waits or the worker is asked to leave."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Sequence
from functools import partial

from django.db import InterfaceError, OperationalError

from core import clock
from generation.errors import RenderCancelled, SpecRejected, Transient
from generation.keys import NoKey
from generation.services import lifecycle, queueing
from generation.services.queueing import Claim
from generation.worker import cache, render, shelf, signing
from generation.worker.held import Held, Why
from generation.worker.leaving import leaving
from generation.worker.pulse import pulse
from generation.worker.writing import surely

logger = logging.getLogger(__name__)

LONGEST_TURN = 3600.0  # seconds; well inside the broker's visibility timeout, less the longest render


def worker_name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def drain(lane: str) -> int:
    """Render until the queue, and every other one that this worker takes, is empty. How many videos were taken up.

    A turn that grows too long for the broker ends with a new message instead.
    """
    taken, until = 0, time.monotonic() + LONGEST_TURN
    mine = tuple({lane, *shelf.lanes})
    while not leaving.wanted and signing.possible():
        if time.monotonic() > until:
            queueing.wake(lane)
            break
        claim = lifecycle.claim_next(lane=mine, worker=worker_name(), now=clock.now())
        if claim is None:
            break
        taken += attempt(claim)
    return taken


def _takes(first: Claim) -> Sequence[Claim]:
    """The other takes of the same request that go through the same forward."""
    if not first.siblings:
        return ()
    try:
        most = shelf.backend_of(first).at_once(render.spec_of(first)) - 1
        return lifecycle.claim_takes(first=first, most=most, worker=worker_name(), now=clock.now())
    except Exception:  # noqa: BLE001 - it will be met again, and told, when the first is rendered
        return ()


def attempt(first: Claim) -> int:
    """One try at a claim and the takes that are rendered with it, and how many they are.

    Each ends in one of the ways that `_end` knows, or finished. Leases are kept from the start: to know what fits
    together, a checkpoint may have to be loaded.
    """
    with pulse.holding([first]) as held, cache.held():
        takes = _takes(first)
        held.add(takes)
        claims = [first, *takes]
        try:
            made = render.forward(claims, held)
        except Exception as fault:  # noqa: BLE001 - the worker must outlive any fault of one job
            for claim in claims:
                _end(claim, held, fault)
            return len(claims)
        for claim, taken in zip(claims, made, strict=True):
            if held.unwanted(claim):
                held.ended(claim)  # its row has been ended by whoever stopped it
                continue
            try:
                pulse.finished += render.finish(claim, taken, held)
                held.ended(claim)
            except Exception as fault:  # noqa: BLE001 - likewise
                _end(claim, held, fault)
    return len(claims)


def _end(claim: Claim, held: Held, fault: Exception) -> None:
    """End an attempt that gave no result. Its lease runs out by itself where the database cannot be told."""
    try:
        surely(partial(_write_end, claim, held, fault))
    except Exception:
        logger.exception("how %s ended could not be written", claim.video)
    held.ended(claim)


def _write_end(claim: Claim, held: Held, fault: Exception) -> bool:
    """What the artist may change, and what nobody waits for, is no failure of this worker's."""
    now = clock.now()
    match fault:
        case RenderCancelled():
            return _stop(claim, held)
        case SpecRejected():
            return lifecycle.reject(claim=claim, code=fault.code, sentence=fault.sentence, now=now)
        case Transient() | NoKey() | OperationalError() | InterfaceError():
            logger.warning("%s failed, and may pass: %s", claim.video, fault)
            ended = lifecycle.fail(claim=claim, error=str(fault), transient=True, now=now)
        case _:
            logger.error("%s failed", claim.video, exc_info=fault)
            error = f"{type(fault).__name__}: {fault}"
            ended = lifecycle.fail(claim=claim, error=error, transient=False, now=now)
    pulse.failed += ended
    return ended


def _stop(claim: Claim, held: Held) -> bool:
    why, now = held.why_not([claim]) or Why.UNWANTED, clock.now()
    logger.info("%s was stopped after %.1f s: %s", claim.video, held.seconds, why.value)
    if why is Why.UNWANTED:
        return False  # its row has been ended by whoever stopped it
    if why is Why.LEAVING:
        return lifecycle.hand_back(claim=claim, now=now)
    ended = lifecycle.took_too_long(claim=claim, error=f"soft limit of {held.soft_limit} s", now=now)
    pulse.failed += ended
    return ended

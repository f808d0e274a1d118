"""The checkpoints in this process's memory: what its queues' variants need, each once, and what is told of them."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from generation.errors import EngineError, Transient
from generation.queries import workers as queries
from generation.queries.workers import LaneVariant
from generation.services.queueing import Claim
from generation.worker import kinds

if TYPE_CHECKING:
    from generation.backends.base import Backend

logger = logging.getLogger(__name__)

lanes: tuple[str, ...] = ()
"""What this process takes, the most urgent first; set when a worker starts."""


def stock() -> None:
    """Load and warm what the lanes need, the most urgent variant first. Ends the process where one cannot be."""
    for variant in _served():
        try:
            _warm(variant)
        except Transient as fault:  # an outside server that is away: it is asked again when a job comes
            logger.warning("%s is not ready: %s", variant.slug, fault)
        except EngineError as fault:
            sys.exit(f"This worker does not start: the variant {variant.slug} cannot be loaded. {fault}")


def backend_of(claim: Claim) -> Backend:
    """Loaded where it is not; what no variant names any more makes room for it first."""
    from generation.backends import registry

    if lanes and (claim.backend, claim.checkpoint) not in registry.loaded():
        registry.keep({(variant.backend, variant.checkpoint) for variant in _served()})
    return registry.load(claim.backend, claim.checkpoint)


def told() -> list[dict[str, Any]]:
    """What the office and metrics hear of each checkpoint in memory."""
    from generation.backends import registry

    return [_told(*place, backend) for place, backend in registry.loaded().items()]


def _served() -> Sequence[LaneVariant]:
    return [variant for variant in queries.lane_variants(lanes) if variant.enabled]


def _warm(variant: LaneVariant) -> None:
    from generation.backends import registry

    if (variant.backend, variant.checkpoint) in registry.loaded():
        return
    began = time.monotonic()
    registry.load(variant.backend, variant.checkpoint).warm()
    logger.info("%s is ready after %.1f s", variant.slug, time.monotonic() - began)


def _told(name: str, checkpoint: str, backend: Backend) -> dict[str, Any]:
    capability = backend.capability()
    return {
        "backend": name,
        "checkpoint": checkpoint if name != "remote" else "",  # its address may hold a token
        "digest": backend.checkpoint,
        "kind": kinds.kind_of(backend),
        "device": capability.device,
        "hardware": capability.hardware,
        "dtype": capability.dtype,
        "memory": capability.memory,
        "load_seconds": round(capability.load_seconds, 2),
        "warm_seconds": round(capability.warm_seconds, 2),
        "rung": capability.rung,
        "images": capability.images,
        "adapters": capability.adapters,
        "at_once": capability.at_once,
    }

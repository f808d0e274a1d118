"""Claim, render, store, finish; again until nothing waits or the worker is asked to leave."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import threading
from pathlib import Path
from typing import Any

from celery.signals import worker_shutting_down
from django.db import close_old_connections, connection

from core import clock
from generation import progress
from generation.errors import RenderCancelled, SpecRejected, Transient
from generation.services import files, lifecycle
from generation.services.lifecycle import Claim
from generation.spec import Produced, RenderSpec, VisibleMark

logger = logging.getLogger(__name__)
_leaving = threading.Event()


@worker_shutting_down.connect
def _leave(**_: Any) -> None:
    """The render at hand is finished; another is not begun."""
    _leaving.set()


def worker_name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def drain(lane: str) -> int:
    """Render until the queue is empty. Returns how many videos were taken up."""
    taken = 0
    while not _leaving.is_set():
        claim = lifecycle.claim_next(lane=lane, worker=worker_name(), now=clock.now())
        if claim is None:
            break
        taken += 1
        attempt(claim)
    return taken


def attempt(claim: Claim) -> None:
    """One try, ended in one of four ways: finished, refused, failed, or not ours any more."""
    with Heartbeat(claim) as heart:
        try:
            _produce_and_finish(claim, heart)
        except RenderCancelled:
            logger.info("%s was stopped", claim.video)
        except SpecRejected as refusal:
            lifecycle.reject(claim=claim, code=refusal.code, sentence=refusal.sentence, now=clock.now())
        except Transient as fault:
            logger.warning("%s failed, and may pass: %s", claim.video, fault)
            lifecycle.fail(claim=claim, error=str(fault), transient=True, now=clock.now())
        except Exception as fault:  # the worker must outlive any fault of one job
            logger.exception("%s failed", claim.video)
            lifecycle.fail(
                claim=claim, error=f"{type(fault).__name__}: {fault}", transient=False, now=clock.now()
            )


def _produce_and_finish(claim: Claim, heart: Heartbeat) -> None:
    from generation.backends import registry
    from generation.pipeline import produce

    backend = registry.load(claim.backend, claim.checkpoint)
    spec = RenderSpec(
        prompt=claim.prompt,
        seed=claim.seed,
        width=claim.width,
        height=claim.height,
        seconds=claim.seconds,
        fps=claim.fps,
        steps=claim.steps,
        guidance=claim.guidance,
    )
    with tempfile.TemporaryDirectory(prefix="render-") as folder:
        produced = produce(
            spec,
            backend=backend,
            mark=VisibleMark(programme=claim.mark_text, code=claim.code),
            folder=Path(folder),
            progress=heart.step,
            cancelled=heart.stopped,
        )
        keys = _store(claim, produced)
    finished = lifecycle.finish(
        claim=claim,
        produced=produced,
        keys=keys,
        made=lifecycle.Made(digest=backend.checkpoint),
        now=clock.now(),
    )
    if not finished:
        logger.warning("%s was given to somebody else; our result is dropped", claim.video)
        for key in keys.values():
            files.store().delete(key)


def _store(claim: Claim, produced: Produced) -> dict[str, str]:
    keys: dict[str, str] = {
        made.kind: files.key(claim.video, claim.lease, made.kind) for made in produced.files
    }
    for made in produced.files:
        files.store().put(made.path, key=keys[made.kind])
    return keys


class Heartbeat:
    """Keeps the lease alive from a thread of its own, and knows when it is lost."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat {claim.video}", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=10)

    def step(self, done: int, total: int) -> None:
        progress.publish(self._claim.video, state="in_progress", done=done, total=total)

    def stopped(self) -> bool:
        return self._lost.is_set() or progress.asked_to_stop(self._claim.lease)

    def _beat(self) -> None:
        while not self._ended.wait(lifecycle.HEARTBEAT):
            close_old_connections()
            try:
                if not lifecycle.heartbeat(lease=self._claim.lease, now=clock.now()):
                    self._lost.set()
                    return
            except Exception:  # the database may be away for a moment; the lease outlives three beats
                logger.exception("heartbeat of %s failed", self._claim.video)
            finally:
                connection.close()

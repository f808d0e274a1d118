"""A message only wakes somebody: sending one must work from anywhere, and fail quickly."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import pytest

from audit import outbox
from audit.models import OutboxEvent
from core import enqueue
from embedded.valkey import Valkey
from tests.factories.floor import at_once

pytestmark = pytest.mark.django_db(transaction=True)
TASK = "audit.deliver_outbox"


def test_sends_by_our_application_from_every_thread(queued: Callable[[str], int]) -> None:
    """A web process answers on threads of its own; the one that loaded Celery is not among them."""
    assert enqueue.send(TASK)
    assert at_once(*(lambda: enqueue.send(TASK) for _ in range(3))) == [True] * 3

    assert queued("default") == 4


def test_a_broker_that_is_away_holds_nobody_up_and_loses_nothing(valkey: Valkey, now: datetime) -> None:
    enqueue.send(TASK)
    valkey.stop()
    start = time.monotonic()

    for _ in range(3):
        outbox.add(topic="test", payload={}, now=now)
        assert not enqueue.send(TASK)

    assert time.monotonic() - start < 3
    assert OutboxEvent.objects.filter(delivered_at=None).count() == 3

from __future__ import annotations

from celery import shared_task

from audit import outbox
from core import clock, enqueue


@shared_task(name="audit.deliver_outbox")
def deliver_outbox() -> int:
    enqueue.arrived("audit.deliver_outbox")
    delivered = outbox.deliver_due(now=clock.now())
    if delivered >= outbox.BATCH:
        enqueue.send("audit.deliver_outbox")
    return delivered

from __future__ import annotations

from celery import shared_task
from core import clock

from audit import outbox


@shared_task(name="audit.deliver_outbox")
def deliver_outbox() -> int:
    return outbox.deliver_due(now=clock.now())

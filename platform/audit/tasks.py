from __future__ import annotations

from celery import shared_task

from audit import outbox
from core import clock


@shared_task(name="audit.deliver_outbox")
def deliver_outbox() -> int:
    return outbox.deliver_due(now=clock.now())

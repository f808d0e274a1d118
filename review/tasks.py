from __future__ import annotations

from celery import shared_task

from core import clock
from review.services import leases


@shared_task(name="review.sweep")
def sweep() -> int:
    return leases.sweep(now=clock.now())

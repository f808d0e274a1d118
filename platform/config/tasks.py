from __future__ import annotations

from celery import shared_task


@shared_task(name="config.echo", ignore_result=False)
def echo(word: str) -> str:
    """The health check's round trip: broker, worker, result."""
    return word

"""Celery wakes workers; PostgreSQL decides who does what. Losing every message loses no job."""

from __future__ import annotations

import os

from celery import Celery
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

app = Celery("private_view")
app.set_default()  # in every thread: a web process answers on threads that did not import this


def _broker(url: str) -> str:
    """`unix:///path` is how Redis clients name a socket; Celery's transport calls it `redis+socket`."""
    return url.replace("unix://", "redis+socket://", 1) if url.startswith("unix://") else url


app.conf.update(
    broker_url=_broker(settings.REDIS_URL),
    result_backend=_broker(settings.REDIS_URL),
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 7200,  # longer than the longest render; a claim makes redelivery harmless
        "global_keyprefix": f"{settings.DEPLOYMENT}:",
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        # A request whose broker is away goes on at once: its rows are durable, the sweeper wakes the workers.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    },
    result_backend_transport_options={"global_keyprefix": f"{settings.DEPLOYMENT}:"},
    result_expires=600,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    task_default_queue=f"{settings.DEPLOYMENT}.default",
    task_queues=[Queue(f"{settings.DEPLOYMENT}.default")],
    task_create_missing_queues=True,
    task_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    beat_schedule={
        "sweep-renders": {"task": "generation.sweep", "schedule": 5.0, "options": {"expires": 5}},
        "sweep-leases": {"task": "review.sweep", "schedule": 30.0, "options": {"expires": 30}},
        "deliver-outbox": {"task": "audit.deliver_outbox", "schedule": 10.0, "options": {"expires": 10}},
    },
)
app.autodiscover_tasks(["audit", "programme", "generation", "review", "config"])

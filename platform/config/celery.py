"""Celery wakes workers; PostgreSQL decides who does what. Losing every message loses no job."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import task_prerun
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.db import close_old_connections

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
        # Longer than a worker's turn with the longest render in it. A message that is handed out again all the same
        # does no harm: whoever gets it claims what is there.
        "visibility_timeout": 12 * 3600,
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
    # One render at a time, none taken from the broker before it can begin, none lost with its worker. A render worker
    # refuses to start with anything else (generation/worker/startup.py). Celery's own time limits stay unset: each
    # variant has its own.
    worker_concurrency=1,
    worker_prefetch_multiplier=1,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    task_default_queue=f"{settings.DEPLOYMENT}.default",
    task_queues=[Queue(f"{settings.DEPLOYMENT}.default")],
    # Copies and traces need the keys of the marks, and would be held up by renders and by each other.
    task_routes={
        "generation.copy": {"queue": f"{settings.DEPLOYMENT}.copies"},
        "generation.trace": {"queue": f"{settings.DEPLOYMENT}.tracing"},
    },
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
# Celery closes the database connection around each task, and a new one costs more than most tasks. Here it is kept, and
# asked once before a task whether it still lives.
app.conf["CELERY_DB_REUSE_MAX"] = 2**62


@task_prerun.connect
def _check_connections(**_: Any) -> None:
    close_old_connections()


app.autodiscover_tasks(["audit", "programme", "generation", "review", "config"])

"""The least that Celery can do: a task that does nothing."""

from __future__ import annotations

import os

from celery import Celery

URL = os.environ.get("BENCH_REDIS", "").replace("unix://", "redis+socket://", 1)
app = Celery("bare", broker=URL, backend=URL, set_as_current=False)
app.conf.update(
    task_default_queue="bench-bare",
    worker_prefetch_multiplier=1,
    broker_transport_options={"global_keyprefix": "bare:"},
    result_backend_transport_options={"global_keyprefix": "bare:"},
)


@app.task(name="bare.nothing")
def nothing() -> int:
    return 1

"""The least that Celery can do: a task that does nothing, and one that does our render and nothing else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from celery import Celery

from generation.backends import registry
from generation.pipeline import produce
from generation.spec import RenderSpec, VisibleMark

URL = os.environ.get("BENCH_REDIS", "").replace("unix://", "redis+socket://", 1)
app = Celery("bare", broker=URL, backend=URL, set_as_current=False)
app.conf.update(
    task_default_queue="bench-bare",
    worker_prefetch_multiplier=1,
    broker_transport_options={"global_keyprefix": "bare:"},
    result_backend_transport_options={"global_keyprefix": "bare:"},
)
SPEC = RenderSpec(prompt="a red boat", seed=1, width=160, height=90, seconds=1, fps=24, steps=4, guidance=1.0)


@app.task(name="bare.nothing")
def nothing() -> int:
    return 1


@app.task(name="bare.pipeline")
def pipeline() -> int:
    """Frames, mark, encode and probe as in our worker; no row, no lease, no store."""
    with tempfile.TemporaryDirectory() as folder:
        made = produce(
            SPEC,
            backend=registry.load("null", "builtin"),
            mark=VisibleMark("Bench", "ABCD-EFGH"),
            folder=Path(folder),
            progress=lambda _done, _total: None,
            cancelled=lambda: False,
        )
    return len(made.files)

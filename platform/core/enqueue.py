"""Send a task by name, after the commit. Services name tasks and so never import them."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def after_commit(task: str, *, queue: str | None = None, **kwargs: Any) -> None:
    """Queue `task` with `kwargs` once the current transaction has committed; at once where there is none.

    A broker that is away must not fail a request whose rows are already durable: the sweeper wakes
    the workers for whatever this message would have woken them for.
    """
    transaction.on_commit(partial(send, task, queue=queue, **kwargs), robust=True)


def send(task: str, *, queue: str | None = None, **kwargs: Any) -> bool:
    """Queue `task` now. False when the broker does not answer."""
    try:
        current_app.send_task(task, kwargs=kwargs, queue=queue, ignore_result=True, retry=False)
    except (OperationalError, ConnectionError, OSError):
        logger.warning("broker is away; %s was not queued and waits for the sweeper", task)
        return False
    return True

"""Send a task by name, after the commit. Services name tasks and so never import them."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import Any

import redis
from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def after_commit(task: str, *, queue: str | None = None, **kwargs: Any) -> None:
    """Queue `task` with `kwargs` once the current transaction has committed; at once where there is none.

    A broker that is away must not fail a request whose rows are already durable: the sweeper wakes
    the workers for whatever this message would have woken them for.
    """
    transaction.on_commit(partial(send, task, queue=queue, **kwargs), robust=True)


def after_commit_once(task: str) -> None:
    """As `after_commit`, for a task that does whatever waits: nothing is sent while a message of it is on its way.

    The task calls `arrived` before it looks, so that what was there before is seen by it.
    """
    transaction.on_commit(partial(_send_once, task), robust=True)


def arrived(task: str) -> None:
    """What comes from now on needs another message."""
    with suppress(redis.RedisError):
        cache.delete(_on_its_way(task))


def _send_once(task: str) -> None:
    try:
        first = cache.add(_on_its_way(task), 1, timeout=5)
    except redis.RedisError:
        first = True
    if first:
        send(task)


def _on_its_way(task: str) -> str:
    return f"on-its-way:{task}"


def send(task: str, *, queue: str | None = None, **kwargs: Any) -> bool:
    """Queue `task` now. False when the broker does not answer."""
    try:
        current_app.send_task(task, kwargs=kwargs, queue=queue, ignore_result=True, retry=False)
    except (OperationalError, ConnectionError, OSError):
        logger.warning("broker is away; %s was not queued and waits for the sweeper", task)
        return False
    return True

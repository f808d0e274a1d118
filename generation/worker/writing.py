"""Writes to the database that a worker does not give up at the first cut: a render took minutes to make."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

PATIENCE: Final = 45.0
"""Seconds that the database may be away. A lease lasts a minute from its last heartbeat."""
_PAUSE: Final = 1.0


def surely(write: Callable[[], bool], *, written: Callable[[], bool] = lambda: False) -> bool:
    """What `write` says, which is a conditional update under a lease and so may be tried again safely.

    Where only the answer was lost, the next try finds no lease any more; then `written` tells whether it was ours.
    Raises what the database raised when it is still away after `PATIENCE`.
    """
    until = time.monotonic() + PATIENCE
    try:
        return write()
    except (OperationalError, InterfaceError) as fault:
        logger.warning("the database did not answer, and is asked again: %s", fault)
    while True:
        connection.close()
        try:
            return write() or written()
        except (OperationalError, InterfaceError):
            if time.monotonic() > until:
                raise
        time.sleep(_PAUSE)

"""Whether what is made could be signed. Signing comes last, so that it is asked before anything is taken up."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Final

from core import clock
from generation.errors import EngineError
from generation.services import credentials

logger = logging.getLogger(__name__)

_FOR: Final = 60.0  # seconds that an answer holds: certificates run out, and key services may be away
_good_until = 0.0


def possible() -> bool:
    """Where it is not, what waits goes on waiting, and the sweep comes back to it."""
    global _good_until  # noqa: PLW0603 - a worker's own, forgotten with it
    if time.monotonic() < _good_until:
        return True
    try:
        check()
    except EngineError:
        logger.exception("nothing could be signed, so that nothing is taken up")
        return False
    _good_until = time.monotonic() + _FOR
    return True


def check() -> datetime:
    """Until when files can be signed. Raises EngineError with what to change where they cannot."""
    return credentials.signer().check(clock.now())


def forget() -> None:
    """For tests that change who signs."""
    global _good_until  # noqa: PLW0603
    _good_until = 0.0

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
import time_machine

from access.caller import Caller
from tests.factories import people
from tests.factories.api import Api


@pytest.fixture
def api(now: datetime, stopped_clock: time_machine.Traveller) -> Callable[[Caller], Api]:
    """`api(artist)`: a client that bears a fresh token of the caller's kind, with every scope of that kind."""

    def of(caller: Caller) -> Api:
        kind = Api.kind_of(caller)
        return Api(people.token(caller, now, kind=kind).secret)

    return of

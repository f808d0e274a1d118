from __future__ import annotations

from collections.abc import Callable

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client

from access.caller import Caller


@pytest.fixture
def sign_in(stopped_clock: time_machine.Traveller) -> Callable[[Caller], Client]:
    """A browser of the caller's; the doors see the test's time."""

    def browser(caller: Caller) -> Client:
        client = Client()
        client.force_login(get_user_model().objects.get(pk=caller.user_id))
        return client

    return browser

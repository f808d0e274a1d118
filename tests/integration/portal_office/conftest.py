"""A programme to run, and browsers to run it from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from access.caller import Caller
from programme.queries import ProgrammeView
from tests.factories.generation import put_variants
from tests.factories.review import put_policy

SignIn = Callable[[Caller], Client]


@pytest.fixture
def sign_in(stopped_clock: object) -> SignIn:
    """A browser in which that person has signed in, at the time of the test."""

    def browser(caller: Caller) -> Client:
        client = Client()
        client.force_login(get_user_model().objects.get(pk=caller.user_id))
        return client

    return browser


@pytest.fixture
def artist(artist: Caller, programme: ProgrammeView, now: datetime) -> Caller:
    """Whose programme has a policy."""
    put_variants(programme.id, now)
    put_policy(programme.id, now)
    return artist

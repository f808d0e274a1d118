from collections.abc import Iterator

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections

from tests.factories.desk import *  # noqa: F403 - fixtures are found by their names


@pytest.fixture(autouse=True)
def _keep_the_connection() -> Iterator[None]:
    """Closing a response ends a request, and with it the connection in whose transaction the test stands."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)

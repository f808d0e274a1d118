"""PostgreSQL and Valkey, started once for each run and empty again for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis

from embedded.postgres import Postgres
from embedded.valkey import Valkey
from tests.rig import environment

_FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "autovacuum": "off",  # it would take locks in the middle of a test that counts them
}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres(environment.folder / "postgres", settings=_FAST_AND_FORGETFUL)
    server.start()
    yield server
    server.stop()
    server.remove()


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """Stop, kill or restart it in a test of what happens without a broker; it is started again afterwards."""
    server = Valkey(environment.folder / "valkey", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _empty_valkey(valkey: Valkey) -> None:
    """No session, counter, cached row or queued task comes over from the test before."""
    if not valkey.alive:
        valkey.start()
    with valkey.client() as client:
        client.flushall()


@pytest.fixture
def queued(valkey: Valkey) -> Callable[[str], int]:
    """How many messages wait in a queue, named without the deployment's prefix: `queued("default")`."""

    def count(queue: str) -> int:
        name = environment.DEPLOYMENT
        with redis.Redis(unix_socket_path=str(valkey.socket), decode_responses=True) as client:
            return int(client.llen(f"{name}:{name}.{queue}"))

    return count

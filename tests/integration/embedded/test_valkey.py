from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from embedded.failures import CannotStart
from embedded.valkey import Valkey


@pytest.fixture
def server(folder: Path) -> Iterator[Valkey]:
    made = Valkey(folder / "valkey")
    yield made
    made.stop()


def test_keeps_what_was_queued_when_it_is_killed(server: Valkey) -> None:
    server.start()
    with server.client() as client:
        client.lpush("queue", "one")

    server.kill()
    server.start()

    with server.client() as client:
        assert client.lrange("queue", 0, -1) == ["one"]


def test_is_a_broker_at_its_address(server: Valkey) -> None:
    server.start()
    app = Celery(broker=server.url.replace("unix://", "redis+socket://"))

    with app.connection() as connection:
        connection.ensure_connection(max_retries=1)

        assert connection.connected


def test_serves_from_a_folder_whose_path_is_too_long_for_a_socket(folder: Path) -> None:
    deep = folder / ("x" * 120)
    server = Valkey(deep / "valkey")
    try:
        server.start()

        assert len(str(server.socket)) < 104
        with server.client() as client:
            assert client.ping()
    finally:
        server.stop()
    assert not server.socket.parent.exists()


def test_two_folders_have_a_server_each(folder: Path) -> None:
    one, other = Valkey(folder / "one"), Valkey(folder / "other")
    try:
        one.start()
        other.start()
        with one.client() as client:
            client.set("word", "one")

        with other.client() as client:
            assert client.get("word") is None
    finally:
        one.stop()
        other.stop()


def test_a_file_that_cannot_be_read_is_shown_with_the_log(server: Valkey) -> None:
    server.start()
    server.stop()
    for file in (server.state / "appendonlydir").glob("*.manifest"):
        file.write_text("not a manifest")

    with pytest.raises(CannotStart, match=r"(?s)Valkey did not start.*manifest"):
        server.start()

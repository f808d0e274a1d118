from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from embedded.postgres import Postgres


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a space in its name, as people's folders have."""
    made = tmp_path / "my checkout"
    made.mkdir()
    return made


@pytest.fixture
def new_postgres(folder: Path) -> Iterator[Callable[..., Postgres]]:
    """Stops and removes what a test made. Without fsync: no test cuts the power."""
    made: list[Postgres] = []

    def new(**options: object) -> Postgres:
        made.append(Postgres(folder / "postgres", settings={"fsync": "off"}, **options))  # type: ignore[arg-type]  # passed through as they are
        return made[-1]

    yield new
    for server in made:
        server.stop()
        server.remove()


def gone(pid: int, *, seconds: float = 10.0) -> bool:
    """Whether a process ends within that time; one that only waits to be reaped has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    return gone

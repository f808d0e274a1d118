"""Celery workers as processes of their own, started by the command line that the demo uses."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from embedded import commands
from embedded.failures import tail
from embedded.processes import Child
from tests.rig import environment

_numbers = itertools.count(1)
_READY_SECONDS = 60.0


class CeleryWorker:
    """A worker on the given queues (named without the deployment's prefix)."""

    def __init__(self, queues: Sequence[str]) -> None:
        self.name = f"worker{next(_numbers)}"
        self.log = environment.folder / "log" / f"{self.name}.log"
        names = [f"{environment.DEPLOYMENT}.{queue}" for queue in queues]
        self._child = Child(
            commands.worker(self.name, queues=names, env=environment.for_children(), log=self.log)
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.alive

    def start(self) -> None:
        """Returns when it takes tasks."""
        self._child.start()
        deadline = time.monotonic() + _READY_SECONDS
        while not (self.log.exists() and b" ready." in self.log.read_bytes()):
            if not self._child.alive or time.monotonic() > deadline:
                self._child.kill()
                pytest.fail(f"the Celery worker did not start:\n{tail(self.log)}")
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9, with everything that it started."""
        self._child.kill()

    def stop(self) -> None:
        self._child.stop(5)

    def is_idle(self, seconds: float = 5.0) -> bool:
        """Whether it answers, within that time, that it has nothing in hand. A busy one does not answer."""
        from config.celery import app

        deadline = time.monotonic() + seconds
        while self.alive and time.monotonic() < deadline:
            asked = app.control.inspect(timeout=0.5, limit=1)
            busy = asked.active()
            if busy is not None and not any(busy.values()):
                return True
        return False


_lasting: list[CeleryWorker] = []


@pytest.fixture(autouse=True)
def _no_uninvited_worker(request: pytest.FixtureRequest) -> None:
    """It would take the messages of a test that counts them."""
    if "celery_worker_process" not in request.fixturenames:
        for worker in _lasting:
            worker.kill()


@pytest.fixture(scope="session")
def _lasting_worker(django_db_setup: None, valkey: object) -> Iterator[CeleryWorker]:
    worker = CeleryWorker(["default"])
    _lasting.append(worker)
    yield worker
    _lasting.remove(worker)
    worker.kill()


@pytest.fixture
def celery_worker_process(transactional_db: None, _lasting_worker: CeleryWorker) -> Iterator[CeleryWorker]:
    """The worker for everything but renders. Lives on from test to test, unless one leaves it busy or dead."""
    if not _lasting_worker.alive:
        _lasting_worker.log.unlink(missing_ok=True)
        _lasting_worker.start()
    yield _lasting_worker
    if _lasting_worker.alive and not _lasting_worker.is_idle():
        _lasting_worker.kill()


@pytest.fixture
def start_celery_worker(transactional_db: None, valkey: object) -> Iterator[Callable[..., CeleryWorker]]:
    """`start_celery_worker("render.turbo", "render.full")`: a worker for this test alone; may be killed."""
    started: list[CeleryWorker] = []

    def start(*queues: str) -> CeleryWorker:
        worker = CeleryWorker(queues or ["default"])
        started.append(worker)
        worker.start()
        return worker

    yield start
    for worker in started:
        worker.kill()
        print(f"--- {worker.log.name}\n{tail(worker.log)}")  # noqa: T201 - pytest shows it where the test failed


@pytest.fixture
def celery_beat(celery_worker_process: CeleryWorker, tmp_path: Path) -> Iterator[None]:
    """What sends the sweeps: who waits for a message that was lost, or to be tried again, is woken by them."""
    env, log = environment.for_children(), environment.folder / "log" / "beat.log"
    beat = Child(commands.beat(schedule=tmp_path / "beat", env=env, log=log))
    beat.start()
    yield
    beat.kill()

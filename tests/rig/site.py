"""The web process, as in the demo: uvicorn on a loopback port, against the database of the tests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from embedded import commands
from embedded.failures import tail
from embedded.processes import Child
from tests.rig import environment

_READY_SECONDS = 60.0


@dataclass(frozen=True)
class LiveSite:
    """`url` has no slash at its end."""

    url: str
    child: Child

    @property
    def pid(self) -> int:
        return self.child.pid


@pytest.fixture(scope="session")
def _lasting_site(django_db_setup: None, valkey: object) -> Iterator[LiveSite]:
    listener = environment.listener
    assert listener is not None
    env = environment.for_web()
    child = Child(
        commands.web(listener=listener.fileno(), env=env, log=environment.folder / "log" / "web.log")
    )
    site = LiveSite(url=env["PRIVATE_VIEW_BASE_URL"], child=child)
    yield site
    child.stop(5)


@pytest.fixture
def live_site(transactional_db: None, _lasting_site: LiveSite) -> LiveSite:
    """The site at `live_site.url`. Rows that the test commits are seen by it, and are gone after the test."""
    child = _lasting_site.child
    if not child.alive:
        child.start()
    deadline = time.monotonic() + _READY_SECONDS
    while not _answers(_lasting_site.url):
        if not child.alive or time.monotonic() > deadline:
            child.kill()
            pytest.fail(f"the web process did not start:\n{tail(child.command.log)}")
        time.sleep(0.05)
    return _lasting_site


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False

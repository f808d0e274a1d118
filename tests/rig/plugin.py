"""Loaded first (`-p tests.rig.plugin`): settings read the environment once, so it must be there before Django is."""

from __future__ import annotations

import pytest

from tests.rig import environment, network

environment.prepare()

pytest_plugins = [
    "tests.rig.services",
    "tests.rig.workers",
    "tests.rig.site",
    "tests.rig.browser",
    "tests.rig.clock",
    "tests.rig.sent",
    "tests.rig.passwords",
    "tests.rig.video_server",
    "tests.rig.remote",
    "tests.rig.c2pa_ts",
]


def pytest_configure(config: pytest.Config) -> None:
    network.forbid_foreign_hosts()


def pytest_itemcollected(item: pytest.Item) -> None:
    """In a parallel run one process has the browser, and one has what looks at the machine's ports and processes."""
    if "browser" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.xdist_group("browser"))
    elif "integration/embedded" in item.path.as_posix():
        item.add_marker(pytest.mark.xdist_group("embedded"))


@pytest.hookimpl(trylast=True)  # after the shuffle
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is shared and would disturb others comes last, side by side.

    The lasting worker takes any message that it finds. Playwright keeps an event loop running in this thread,
    beside which `asyncio.run` refuses to work.
    """

    def place(item: pytest.Item) -> tuple[bool, bool]:
        wants = getattr(item, "fixturenames", ())
        return "browser" in wants, "celery_worker_process" in wants

    items.sort(key=place)


def pytest_unconfigure(config: pytest.Config) -> None:
    environment.clear_away()

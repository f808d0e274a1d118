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
]


def pytest_configure(config: pytest.Config) -> None:
    network.forbid_foreign_hosts()


def pytest_unconfigure(config: pytest.Config) -> None:
    environment.clear_away()

"""Who is held to the contract of backends: one row each. A new backend adds its row, and passes the suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import pytest

from generation.backends import registry
from generation.backends.base import Backend
from generation.backends.remote.backend import RemoteBackend
from generation.backends.remote.limits import Limits
from tests.rig.tiny.wan import save_tiny_wan, save_tiny_wan_5b

Opens: TypeAlias = Callable[[pytest.FixtureRequest], Backend]


def _tiny_wan(request: pytest.FixtureRequest) -> Backend:
    return registry.load("diffusers", str(request.getfixturevalue("tiny_wan")))


def _tiny_wan_5b(request: pytest.FixtureRequest) -> Backend:
    return registry.load("diffusers", str(request.getfixturevalue("tiny_wan_5b")))


def _remote(request: pytest.FixtureRequest) -> Backend:
    server = request.getfixturevalue("video_server")
    backend = RemoteBackend(server.url, model="wan", limits=Limits(first_pause=0.01))
    request.addfinalizer(backend.close)
    return backend


BACKENDS: Final[Mapping[str, Opens]] = MappingProxyType(
    {
        "null": lambda _: registry.load("null"),
        "null with files": lambda _: registry.load("null", "files"),
        "built in": lambda _: registry.load("diffusers", "builtin"),
        "tiny wan": _tiny_wan,
        "tiny wan 5b": _tiny_wan_5b,
        "remote": _remote,
    }
)


@pytest.fixture(scope="session")
def tiny_wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint of Wan's classes and random weights."""
    folder = tmp_path_factory.mktemp("tiny-wan")
    save_tiny_wan(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_wan_5b(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint that starts from text or from a picture, and goes on in windows."""
    folder = tmp_path_factory.mktemp("tiny-wan-5b")
    save_tiny_wan_5b(folder)
    return folder


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in its turn; loaded once in a run."""
    return BACKENDS[request.param](request)

"""What tests of the remote backend share: short limits, a token that must not be seen, replies, and faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from generation.backends.remote.backend import RemoteBackend
from generation.backends.remote.limits import Limits
from generation.errors import EngineError, SpecRejected, Transient
from generation.spec import Frames, RenderSpec
from tests.rig.video_server import Reply, VideoServer

SPEC = RenderSpec(
    prompt="a red boat", seed=11, width=320, height=180, seconds=1, fps=24, steps=6, guidance=2.5
)
SHORT = Limits(
    connect=1,
    silence=0.3,
    answer=0.6,
    outage=0.8,
    render=1.0,
    download=1.0,
    goodbye=0.5,
    first_pause=0.02,
    longest_pause=0.1,
    file_bytes=300_000,
    picture_pixels=320 * 240,
    clip_seconds=20,
)
TOKEN = "pv_never_to_be_seen"


@pytest.fixture
def remote(video_server: VideoServer) -> Iterator[RemoteBackend]:
    backend = RemoteBackend(video_server.url, TOKEN, "wan", limits=SHORT)
    yield backend
    backend.close()


def render(backend: RemoteBackend) -> Frames:
    return backend.render([SPEC], progress=lambda *_: None, cancelled=lambda: False)[0]


def fails(backend: RemoteBackend, family: type[EngineError], match: str) -> None:
    """The render ends with a fault of just that family, within a few seconds."""
    began = time.monotonic()
    with pytest.raises(EngineError, match=match) as fault:
        list(render(backend).images)
    assert isinstance(fault.value, family)
    assert isinstance(fault.value, Transient) == issubclass(family, Transient)
    assert isinstance(fault.value, SpecRejected) == issubclass(family, SpecRejected)
    assert TOKEN not in str(fault.value)
    assert time.monotonic() - began < 6


def says(status: int, body: Any = b"", **headers: str) -> Reply:
    return lambda exchange: exchange.say(status, body, **headers)


def sends(body: bytes, **headers: str) -> Reply:
    return says(200, body, **{"content_type": "video/mp4"} | headers)


def redirects(to: str) -> Reply:
    return says(302, location=to)

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from tests.rig import environment
from tests.rig.site import LiveSite


def test_answers_are_not_held_back_for_the_clients_acknowledgement(live_site: LiveSite) -> None:
    """Nagle's algorithm would cost every answer on a kept connection 40 ms."""
    assert environment.listener is not None
    assert environment.listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_no_view_ever_sees_is_still_answered(live_site: LiveSite) -> None:
    """Bytes that are no text in the address, and a body that does not say how long it is."""
    host = urlsplit(live_site.url)
    with socket.create_connection((host.hostname or "", host.port or 0), timeout=10) as raw:
        raw.sendall(b"GET /v1/videos?after=\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = raw.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 "), answer[
        :100
    ]  # the HTTP parser's own words: no application saw it

    def chunks() -> Iterator[bytes]:
        yield b'{"prompt": "a boat"}'

    sent = httpx.post(f"{live_site.url}/v1/videos", content=chunks(), headers={"authorization": "Bearer x"})
    assert sent.status_code == 401
    assert sent.json()["error"]["code"] == "invalid_token"


def test_a_large_body_is_refused_before_it_is_read(live_site: LiveSite) -> None:
    sent = httpx.post(f"{live_site.url}/v1/videos", content=b"x" * 3_000_000, timeout=20)

    assert sent.status_code == 401
    assert httpx.get(f"{live_site.url}/health").status_code == 200

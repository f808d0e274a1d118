"""A small server of `/v1/videos` that does as it is told: well, until a test tells it how to misbehave.

It speaks what vLLM-Omni speaks: orders as multipart forms, four states, files as MP4. Its clips depend on the seed
and the picture alone. It is no part of the product, and shares no code with either side of it.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import av
import numpy as np
import pytest

PERCENTS = (0, 34, 67)
"""What a job says of itself when it is read, before it says that it is completed."""


@dataclass(frozen=True)
class Seen:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    fields: dict[str, bytes] = field(default_factory=dict)


class Exchange(BaseHTTPRequestHandler):
    """What a test's own reply is called with; `say` writes a whole answer."""

    protocol_version = "HTTP/1.1"
    server: _Threads

    def say(self, status: int, body: bytes | dict[str, Any] = b"", **headers: str) -> None:
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = "application/json" if isinstance(body, dict) else "text/plain"
        self.begin(status, {"content-type": kind, "content-length": str(len(raw))} | named)
        self.wfile.write(raw)

    def begin(self, status: int, headers: dict[str, str]) -> None:
        """Status and headers alone."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def hang(self) -> None:
        """Says nothing more for as long as the server lives."""
        self.server.house.ended.wait()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        self.server.house.answer(self)

    def do_POST(self) -> None:
        self.server.house.answer(self)

    def do_DELETE(self) -> None:
        self.server.house.answer(self)


Reply: TypeAlias = Callable[[Exchange], None]


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    house: VideoServer


class VideoServer:
    """`replies["read"]` are given instead of the usual answer, one each time; the last one again and again.

    The kinds of request: models, order, read, cancel, delete, content.
    """

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply | None]] = defaultdict(list)
        self.seen: list[Seen] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.models: list[dict[str, Any]] = [{"id": "wan", "object": "model", "root": "Wan-AI/Wan2.2"}]
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._server = _Threads(("127.0.0.1", 0), Exchange)
        self._server.house = self
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def told(self, method: str, end: str = "") -> list[Seen]:
        """Requests of that method whose path ends so."""
        return [seen for seen in self.seen if seen.method == method and seen.path.endswith(end)]

    def answer(self, exchange: Exchange) -> None:
        if self.ended.is_set():  # connections that were open live on in threads of their own
            exchange.close_connection = True
            return
        body = exchange.rfile.read(int(exchange.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in exchange.headers.items()}
        path = exchange.path.removeprefix("/v1")
        seen = Seen(exchange.command, path, headers, _form(headers.get("content-type", ""), body))
        kind = _kind(exchange.command, path)
        with self._lock:
            self.seen.append(seen)
            waiting = self.replies[kind]
            reply = waiting.pop(0) if len(waiting) > 1 else waiting[0] if waiting else None
        if reply:
            reply(exchange)
        else:
            getattr(self, f"_{kind}")(exchange, seen)

    def _models(self, exchange: Exchange, seen: Seen) -> None:
        exchange.say(200, {"object": "list", "data": self.models})

    def _order(self, exchange: Exchange, seen: Seen) -> None:
        with self._lock:
            number = f"video_gen_{len(self.jobs)}"
            job = {"id": number, "object": "video", "status": "queued", "progress": 0, "error": None}
            self.jobs[number] = {"job": job, "fields": seen.fields, "reads": 0}
        exchange.say(200, job)

    def _read(self, exchange: Exchange, seen: Seen) -> None:
        known = self.jobs.get(seen.path.split("/")[2])
        if known is None:
            exchange.say(404, {"error": {"message": "Video not found", "code": 404}})
            return
        at = known["reads"]
        known["reads"] += 1
        done = at >= len(PERCENTS)
        told = {"status": "completed" if done else "in_progress", "progress": 100 if done else PERCENTS[at]}
        exchange.say(200, known["job"] | told)

    def _cancel(self, exchange: Exchange, seen: Seen) -> None:
        exchange.say(404, {"detail": "Not Found"})

    def _delete(self, exchange: Exchange, seen: Seen) -> None:
        number = seen.path.split("/")[2]
        self.jobs.pop(number, None)
        exchange.say(200, {"id": number, "object": "video.deleted", "deleted": True})

    def _content(self, exchange: Exchange, seen: Seen) -> None:
        fields = self.jobs[seen.path.split("/")[2]]["fields"]
        exchange.say(200, clip_of(fields), content_type="video/mp4")

    @contextmanager
    def running(self) -> Iterator[VideoServer]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _kind(method: str, path: str) -> str:
    if path == "/models":
        return "models"
    if method == "POST":
        return "cancel" if path.endswith("/cancel") else "order"
    if method == "DELETE":
        return "delete"
    return "read" if path.count("/") == 2 and path.startswith("/videos/") else "content"


def _form(kind: str, body: bytes) -> dict[str, bytes]:
    if not kind.startswith("multipart/form-data"):
        return {}
    message = BytesParser(policy=HTTP).parsebytes(f"content-type: {kind}\r\n\r\n".encode() + body)
    parts = {str(part.get_param("name", header="content-disposition")): part for part in message.iter_parts()}
    return {name: bytes(part.get_payload(decode=True) or b"") for name, part in parts.items()}


def clip_of(fields: dict[str, bytes]) -> bytes:
    """The MP4 for an order: 8 frames a second in the size asked for, tinted by seed and picture."""
    told = fields["seed"] + fields.get("input_reference", b"")
    return _clip(fields["size"].decode(), int(fields["seconds"]), hashlib.sha256(told).digest()[0])


@lru_cache(maxsize=32)
def _clip(size: str, seconds: int, tint: int) -> bytes:
    width, height = (int(part) for part in size.split("x"))
    return film_of(width, height, 8 * seconds, tint=tint)


def film_of(width: int, height: int, count: int, *, tint: int = 90) -> bytes:
    """An MP4 of 8 frames a second in which a light bar crosses a coloured ground; every frame differs."""
    # Its index comes first, as in most films that are served: one that is cut short can still be opened.
    with (
        tempfile.NamedTemporaryFile(suffix=".mp4") as file,
        av.open(file.name, "w", container_options={"movflags": "+faststart"}) as container,
    ):
        stream = container.add_stream("libx264", rate=8, options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(count):
            image = np.full((height, width, 3), (tint, 255 - tint, 90), np.uint8)
            left = index * (width - width // 8) // max(1, count - 1)
            image[:, left : left + width // 8] = (230, 210, 160)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
        container.close()
        return file.read()


@pytest.fixture
def video_server() -> Iterator[VideoServer]:
    """On a loopback port, for this test alone."""
    with VideoServer().running() as server:
        yield server

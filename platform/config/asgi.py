"""One port: event streams are answered here, everything else by Django's WSGI app on lasting threads.

Sync views straight under ASGI get a new thread, and so a new database connection, for each request:
measured, four times the CPU of the same view behind WSGI.
"""

from __future__ import annotations

from typing import Any, cast

from a2wsgi import WSGIMiddleware
from starlette.applications import Starlette
from starlette.routing import Mount

from config.wsgi import application as django
from portal import streams

WORKERS = 8

# Both sides speak the protocol; their stubs describe it in different words.
_pages: Any = WSGIMiddleware(cast("Any", django), workers=WORKERS)

application = Starlette(
    routes=[*streams.routes, Mount("/", app=_pages)],
    lifespan=streams.lifespan,
)

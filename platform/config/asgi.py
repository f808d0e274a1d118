"""One port: event streams are answered here, everything else by Django's WSGI app on lasting threads.

Sync views straight under ASGI get a new thread, and so a new database connection, for each request:
measured, four times the CPU of the same view behind WSGI.
"""

from __future__ import annotations

from a2wsgi import WSGIMiddleware
from portal import streams
from starlette.applications import Starlette
from starlette.routing import Mount

from config.wsgi import application as django

WORKERS = 8

application = Starlette(
    routes=[*streams.routes, Mount("/", app=WSGIMiddleware(django, workers=WORKERS))], lifespan=streams.lifespan
)

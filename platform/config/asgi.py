"""One port: event streams are answered here, everything else by Django's WSGI app on lasting threads.

Sync views straight under ASGI get a new thread, and so a new database connection, for each request:
measured, four times the CPU of the same view behind WSGI.
"""

from __future__ import annotations

from django.conf import settings
from starlette.applications import Starlette
from starlette.routing import Mount

from config.threads import OnThreads
from config.wsgi import application as django
from portal import streams

WORKERS = 8
LONGEST = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0

_pages = OnThreads(
    django, workers=WORKERS, longest=LONGEST, longest_form=LONGEST + settings.LARGEST_UPLOAD_BYTES
)

application = Starlette(
    routes=[*streams.routes, Mount("/", app=_pages)],
    lifespan=streams.lifespan,
)

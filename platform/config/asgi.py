"""One port: event streams are answered here, everything else by Django's WSGI app on lasting threads.

Sync views straight under ASGI get a new thread, and so a new database connection, for each request:
measured, four times the CPU of the same view behind WSGI.
"""

from __future__ import annotations

from config.wsgi import application as django

# What follows needs Django as the line above has set it up.
# isort: split
from starlette.applications import Starlette
from starlette.routing import Mount

from config import uploads
from config.bodies import Bodies
from config.threads import OnThreads
from delivery import signers
from generation.services import scratch
from portal import streams

WORKERS = 8

scratch.sweep()  # what strangers had sent to a process that was killed
signers.own()  # a process that could not tell our own files from others says so now, not to each visitor

application = Starlette(
    routes=[
        *streams.routes,
        Mount(
            "/", app=OnThreads(django, workers=WORKERS, bodies=Bodies(small=uploads.SMALL, door=uploads.door))
        ),
    ],
    lifespan=streams.lifespan,
)

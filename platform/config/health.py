"""Is this installation able to work? Each part is asked for real."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse

from config.celery import app


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM audit_audithead")
        if cursor.fetchone() is None:
            raise RuntimeError("the audit log has no head: run `manage.py migrate`")


def broker() -> None:
    word = secrets.token_hex(8)
    cache.set(f"health:{word}", word, 10)
    if cache.get(f"health:{word}") != word:
        raise RuntimeError("what was written was not read back")


def worker(seconds: float = 5.0) -> None:
    """A task goes out, a worker answers. Raises TimeoutError when none does in time."""
    word = secrets.token_hex(8)
    result = app.send_task("config.echo", args=[word], ignore_result=False, retry=False)
    try:
        if result.get(timeout=seconds) != word:
            raise RuntimeError("the worker answered something else")
    finally:
        result.forget()


PARTS: dict[str, Callable[[], None]] = {"database": database, "broker": broker}


def run(parts: dict[str, Callable[[], None]]) -> dict[str, str]:
    """Ask each part; "ok" or what went wrong."""
    found = {}
    for name, ask in parts.items():
        try:
            ask()
            found[name] = "ok"
        except Exception as error:  # noqa: BLE001 - a health check reports whatever it meets
            found[name] = f"{type(error).__name__}: {error}"[:300]
    return found


def view(request: HttpRequest) -> JsonResponse:
    """For load balancers: database and broker. The task round trip is `manage.py healthcheck`."""
    found = run(PARTS)
    healthy = all(state == "ok" for state in found.values())
    shown = {name: "ok" if state == "ok" else "failing" for name, state in found.items()}
    response = JsonResponse({"healthy": healthy, "parts": shown}, status=200 if healthy else 503)
    response["Cache-Control"] = "no-store"
    return response

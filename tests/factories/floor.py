"""What the floor's tables hold, and two people doing something at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from core.errors import DomainError

PARTS = ("accounts", "account", "roles", "programme", "access", "audit")


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows that a service of the floor could change."""
    models = [model for part in PARTS for model in apps.get_app_config(part).get_models()]
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[DomainError]]:
    """The block is refused with `code` and a sentence, and no row has changed by it."""
    before = everything()
    with pytest.raises(DomainError) as refusal:
        yield refusal
    assert refusal.value.code == code, refusal.value
    assert refusal.value.sentence.endswith(".")
    assert everything() == before


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Run each deed in a thread with a connection of its own, all let go together; results or exceptions, in order."""
    barrier = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            return deed()
        except Exception as error:  # noqa: BLE001 - what went wrong is what the test wants to see
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))

"""What this process put on the broker: the real messages, noted as they go out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest
from celery.signals import before_task_publish


@dataclass(frozen=True, slots=True)
class Message:
    name: str
    kwargs: dict[str, Any]
    queue: str


Sent: TypeAlias = list[Message]


@pytest.fixture
def sent_tasks() -> Iterator[Sent]:
    """Tasks sent while the test runs; for tests that really commit."""
    sent: Sent = []

    def note(sender: str, body: tuple[Any, dict[str, Any], Any], routing_key: str = "", **_: Any) -> None:
        sent.append(Message(sender, body[1], routing_key))

    before_task_publish.connect(note, weak=False)
    yield sent
    before_task_publish.disconnect(note)

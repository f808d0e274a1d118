from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail as letters

from audit import mail, outbox
from audit.models import OutboxEvent
from tests.factories.floor import at_once

Payload = dict[str, Any]


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> list[Payload]:
    """A topic of the test's own; what it delivered. A payload with `fail` fails."""
    seen: list[Payload] = []
    monkeypatch.setattr(outbox, "_handlers", dict(outbox._handlers))
    monkeypatch.setattr(outbox, "_forgotten", dict(outbox._forgotten))

    @outbox.handler("test", forget=["secret"])
    def deliver(payload: Payload) -> None:
        if payload.get("fail"):
            raise ConnectionError("the other side is away")
        seen.append(payload)

    return seen


@pytest.mark.django_db
def test_delivers_once_and_in_order(delivered: list[Payload], now: datetime) -> None:
    for number in range(3):
        outbox.add(topic="test", payload={"number": number}, now=now + timedelta(seconds=number))

    assert outbox.deliver_due(now=now + timedelta(seconds=1)) == 2
    assert outbox.deliver_due(now=now + timedelta(seconds=9)) == 1
    assert outbox.deliver_due(now=now + timedelta(seconds=9)) == 0
    assert [payload["number"] for payload in delivered] == [0, 1, 2]


@pytest.mark.django_db
def test_forgets_a_secret_once_it_is_delivered(delivered: list[Payload], now: datetime) -> None:
    outbox.add(topic="test", payload={"secret": "s", "kept": 1}, now=now)

    outbox.deliver_due(now=now)

    assert delivered == [{"secret": "s", "kept": 1}]
    assert OutboxEvent.objects.get().payload == {"kept": 1}


@pytest.mark.django_db
def test_a_failure_waits_longer_each_time_and_holds_up_nothing(
    delivered: list[Payload], now: datetime
) -> None:
    outbox.add(topic="test", payload={"fail": True, "secret": "s"}, now=now)
    outbox.add(topic="test", payload={"number": 1}, now=now)

    assert outbox.deliver_due(now=now) == 1

    event = OutboxEvent.objects.get(delivered_at=None)
    assert (event.attempts, event.due_at) == (1, now + timedelta(seconds=5))
    assert event.last_error == "ConnectionError: the other side is away"
    assert event.payload["secret"] == "s"
    outbox.deliver_due(now=now + timedelta(seconds=5))
    event.refresh_from_db()
    assert (event.attempts, event.due_at) == (2, now + timedelta(seconds=35))


@pytest.mark.django_db
def test_a_topic_nobody_listens_to_is_done(now: datetime) -> None:
    outbox.add(topic="nobody.listens", payload={}, now=now)

    assert outbox.deliver_due(now=now) == 1


@pytest.mark.django_db(transaction=True)
def test_several_workers_deliver_each_event_once(delivered: list[Payload], now: datetime) -> None:
    for number in range(20):
        outbox.add(topic="test", payload={"number": number}, now=now)

    counts = at_once(*(lambda: outbox.deliver_due(now=now) for _ in range(4)))

    assert sum(counts) == 20
    assert sorted(payload["number"] for payload in delivered) == list(range(20))


@pytest.mark.django_db
def test_a_mail_is_sent_and_its_text_forgotten(now: datetime) -> None:
    context = {
        "programme": "Early Light",
        "inviter": "Mirre",
        "link": "http://x/invitation/pv_inv_s",
        "until": "1 Mar",
    }
    mail.post(to="ada@example.org", template="invitation", context=context, now=now)

    outbox.deliver_due(now=now)

    (letter,) = letters.outbox
    assert (letter.subject, letter.to) == ("Your invitation to Early Light", ["ada@example.org"])
    assert "pv_inv_s" in letter.body
    assert OutboxEvent.objects.get().payload == {"to": "ada@example.org", "subject": letter.subject}

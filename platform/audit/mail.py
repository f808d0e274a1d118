"""Mail as an outbox topic: rendered inside the transaction, sent after it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import timezone

from audit import outbox

TOPIC = "mail"


def post(*, to: str, template: str, context: dict[str, Any], now: datetime) -> None:
    """Queue a plain-text mail to `to`. The template's first line is the subject."""
    # Letters tell times in UTC and say so, in whatever zone the page is that posts them.
    with timezone.override(UTC):
        subject, _, body = render_to_string(f"email/{template}.txt", context).strip().partition("\n")
    payload = {"to": to, "subject": subject.strip(), "body": body.strip() + "\n"}
    outbox.add(topic=TOPIC, payload=payload, now=now)


@outbox.handler(TOPIC, forget=["body"])  # it may hold an invitation's secret, of which we keep only a digest
def _send(payload: dict[str, Any]) -> None:
    send_mail(payload["subject"], payload["body"], None, [payload["to"]])

"""Mail of the demo: every message is shown in the log and kept as a file, and goes nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends import console, filebased
from django.core.mail.backends.base import BaseEmailBackend


class ConsoleAndFileBackend(BaseEmailBackend):
    def __init__(self, fail_silently: bool = False, **kwargs: Any) -> None:
        super().__init__(fail_silently=fail_silently)
        self.backends: list[BaseEmailBackend] = [
            filebased.EmailBackend(fail_silently=fail_silently),
            console.EmailBackend(fail_silently=fail_silently),
        ]

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return max(backend.send_messages(email_messages) or 0 for backend in self.backends)

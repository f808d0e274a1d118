from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import queries


class Command(BaseCommand):
    help = "Recompute every link of the audit log and name the first row that does not fit."

    def handle(self, *args: Any, **options: Any) -> None:
        proof = queries.verify()
        if proof.broken_at is not None:
            raise CommandError(f"The log is broken at row {proof.broken_at}: {proof.reason}.")
        self.stdout.write(f"The log is whole: {proof.count} rows.")

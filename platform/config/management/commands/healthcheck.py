from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import health


class Command(BaseCommand):
    help = "Ask the database, the broker and a worker whether they work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--wait", type=float, default=0, metavar="SECONDS", help="keep asking for so long"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["wait"]
        while True:
            found = health.run({**health.PARTS, "worker": health.worker})
            if all(state == "ok" for state in found.values()):
                self.stdout.write("healthy: " + ", ".join(found))
                return
            if time.monotonic() >= deadline:
                raise CommandError(
                    "; ".join(f"{part}: {state}" for part, state in found.items() if state != "ok")
                )
            time.sleep(0.3)

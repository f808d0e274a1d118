"""`manage.py add_adapter`: on a machine that has the model's files, for the programme."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import clock
from core.actors import system
from core.errors import DomainError
from generation.errors import EngineError
from generation.services import adapters
from programme import queries


class Command(BaseCommand):
    help = "Add a LoRA file for a programme's styles; it is compared with the model that it is for."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="in diffusers' layout, .safetensors")
        parser.add_argument("--programme", required=True, help="its short name")
        parser.add_argument("--model", required=True, help="a variant's short name, such as full-1")
        parser.add_argument("--name", required=True, help="what it is called in lists")
        parser.add_argument(
            "--cohort", action="append", default=[], help="name of a cohort that may use it; else all may"
        )

    def handle(
        self,
        *args: Any,
        file: Path,
        programme: str,
        model: str,
        name: str,
        cohort: list[str],
        **options: Any,
    ) -> None:
        found = queries.programme(programme)
        if found is None:
            raise CommandError(f"There is no programme {programme}.")
        known = {row.name: row.public_id for row in queries.cohorts(found.id)}
        if unknown := sorted(set(cohort) - set(known)):
            raise CommandError(f"There is no cohort {', '.join(unknown)}. There is: {', '.join(known)}.")
        try:
            with file.open("rb") as source:
                added = adapters.add_for_programme(
                    programme=found,
                    name=name,
                    variant=model,
                    file=source,
                    cohorts=[known[each] for each in cohort],
                    by=system("add_adapter"),
                    now=clock.now(),
                    fetch=True,
                )
        except (DomainError, EngineError) as refusal:
            raise CommandError(refusal.sentence) from None
        except OSError as fault:
            raise CommandError(f"{file} cannot be read: {fault.strerror}.") from None
        self.stdout.write(f"{name} is {added}. Put it into a style in the office.")

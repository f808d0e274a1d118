"""`manage.py trace FILE`: which copy a file descends from."""

from __future__ import annotations

import dataclasses
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import clock
from core.actors import system
from generation.errors import EngineError, SpecRejected
from generation.services import tracing

_WHOM = (
    "For whom that copy was made is not told here. Send the file to the office (Traces): there it is told once a "
    "second person has confirmed the answer."
)


class Command(BaseCommand):
    help = "Read the forensic mark of a video, a GIF or a picture. Needs PRIVATE_VIEW_MARK_KEYS; every run is audited."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--evidence", type=Path, help="a folder for the pictures that show what was read")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        answer = self._traced(file, quiet=options["json"] or not self.stderr.isatty())
        self._keep_pictures(answer, options["evidence"])
        if options["json"]:
            self.stdout.write(json.dumps(_plain(answer), default=str))
            return
        for sentence in tracing.told(answer):
            self.stdout.write(sentence)
        if answer.copies:
            self.stdout.write(_WHOM)

    def _traced(self, file: Path, *, quiet: bool) -> tracing.Answer:
        progress = (lambda *_: None) if quiet else self._tell_progress
        try:
            return tracing.trace(file, by=system("manage.py trace"), now=clock.now(), progress=progress)
        except SpecRejected as refusal:
            raise CommandError(refusal.sentence) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was read so far is not kept.") from None
        except EngineError as fault:
            raise CommandError(str(fault)) from None
        except OSError as fault:
            raise CommandError(f"{file} cannot be read: {fault.strerror}.") from None

    def _tell_progress(self, done: int, total: int, stage: str) -> None:
        self.stderr.write(f"{done + 1} of {total}: {stage}")

    def _keep_pictures(self, answer: tracing.Answer, folder: Path | None) -> None:
        if folder is None or not answer.reading.pictures:
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name, png in answer.reading.pictures.items():
            (folder / f"{name}.png").write_bytes(png)
            self.stdout.write(f"{folder / f'{name}.png'}")


def _plain(answer: tracing.Answer) -> dict[str, Any]:
    reading = dataclasses.asdict(answer.reading)
    reading.pop("pictures")
    reading.pop(
        "best_z"
    )  # of each copy that was named its own is told; below the threshold there is none to tell
    mine = {named.number for named, _ in answer.copies}
    reading["named"] = [named for named in reading["named"] if named["number"] in mine]
    copies = [dataclasses.asdict(copy) for _, copy in answer.copies]
    return {"sha256": answer.sha256, "reading": reading, "copies": copies, "words": tracing.told(answer)}

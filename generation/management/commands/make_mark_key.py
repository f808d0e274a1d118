"""`manage.py make_mark_key FILE`: the first key of the forensic marks, or, after a loss, one more."""

from __future__ import annotations

import os
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.test.utils import override_settings

from generation import keys
from generation.stores.filesystem import flush_folder


class Command(BaseCommand):
    help = "Make the file of the forensic marks' keys, or add a key to it: from then on new marks are made under that."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--add",
            action="store_true",
            help="to a file that is there: after a loss; the old keys stay for tracing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        if options["add"]:
            with override_settings(MARK_KEYS=str(file)):
                try:
                    keys.ring()
                except keys.NoKey as fault:
                    raise CommandError(str(fault)) from fault
        name = keys.new_name()
        flags = os.O_WRONLY | (os.O_APPEND if options["add"] else os.O_CREAT | os.O_EXCL)
        try:
            handle = os.open(file, flags, 0o600)
        except FileExistsError as fault:
            raise CommandError(f"{file} is there already. With --add a key is added to it.") from fault
        except OSError as fault:
            raise CommandError(f"{file} cannot be written: {fault.strerror}.") from fault
        with os.fdopen(handle, "a", encoding="ascii") as written:
            if options["add"] and not file.read_bytes().endswith(b"\n"):
                written.write("\n")  # an editor may have left the last line without its end
            written.write(keys.line(name, secrets.token_bytes(32)))
            written.flush()
            os.fsync(written.fileno())  # marks are made under it from now on: no power cut may lose it
        flush_folder(file.resolve().parent)
        print(
            f"{file} holds the key {name}. Keep a copy of it where neither the database nor the clips are, and set"
        )
        print(
            f"PRIVATE_VIEW_MARK_KEYS={file.resolve()} for render workers and the tracing queue, and nowhere else."
        )

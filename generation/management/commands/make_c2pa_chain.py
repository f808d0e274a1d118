"""`manage.py make_c2pa_chain FOLDER`: a key and certificates of our own for Content Credentials.

`roots.pem` is the list by which the web process knows what this house has signed: it only ever grows.
"""

from __future__ import annotations

import errno
import os
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import clock
from generation.credentials import chain
from generation.credentials.errors import CredentialsError

OWNER_ONLY, EVERYBODY = 0o600, 0o644


class Command(BaseCommand):
    help = (
        "Make chain.pem, key.pem and root.pem for signing clips, and add their certificates to roots.pem. "
        "The root is on nobody's list but yours."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--days", type=int, default=365, help="how long the signer's certificate holds")
        parser.add_argument("--organisation", default="Private View", help="who signs, as viewers show it")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="where there is a chain already; its certificates stay in roots.pem, so that /check goes on "
            "knowing what they have signed",
        )

    def handle(
        self, *args: Any, folder: Path, days: int, organisation: str, replace: bool, **options: Any
    ) -> None:
        if days < 1:
            raise CommandError("A certificate holds for one day at least.")
        if not 1 <= len(organisation) <= 64:
            raise CommandError("The organisation's name has 1 to 64 characters.")
        made = chain.make(now=clock.now(), organisation=organisation, lifetime=timedelta(days=days))
        contents = {
            "key.pem": (made.key, OWNER_ONLY),
            "chain.pem": (made.certificates, EVERYBODY),
            "root.pem": (made.root, EVERYBODY),
        }
        if not replace and (there := [name for name in contents if (folder / name).exists()]):
            raise CommandError(
                f"{folder} holds {' and '.join(there)} already. With --replace new ones are made."
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # First of all: nothing is signed with a certificate that the list does not hold.
            _add_to_roots(folder, made.certificates)
            for name, (content, mode) in contents.items():
                _write(folder / name, content, mode)
        except OSError as fault:
            raise CommandError(f"{folder} cannot be written: {fault.strerror}.") from fault
        self._tell(folder.resolve())

    def _tell(self, folder: Path) -> None:
        print(
            f"{folder} holds chain.pem, key.pem, root.pem and roots.pem. Set for workers of renders and copies:"
        )
        print(f"  PRIVATE_VIEW_C2PA_CHAIN={folder / 'chain.pem'}")
        print(f"  PRIVATE_VIEW_C2PA_KEY={folder / 'key.pem'}")
        print(
            "and, so that signatures outlive the certificate, the address of a time-stamp server (RFC 3161):"
        )
        print("  PRIVATE_VIEW_C2PA_TIMESTAMP_URL=")
        print(
            "Set for the web process, whose /check then knows what was signed with these and with past ones:"
        )
        print(f"  PRIVATE_VIEW_C2PA_ROOTS={folder / 'roots.pem'}")
        print(
            "Add the root of the time-stamp server to roots.pem (PEM): without it its times are not believed."
        )
        print("Whoever is to read these credentials as trusted adds root.pem to the roots of their viewer.")


def _add_to_roots(folder: Path, certificates: bytes) -> None:
    """Also what an older chain in the folder holds, which was made when there was no such list."""
    roots, before = folder / "roots.pem", folder / "chain.pem"
    try:
        kept = roots.read_bytes() if roots.exists() else b""
        more = chain.added(kept, (before.read_bytes() if before.exists() else b"") + b"\n" + certificates)
    except CredentialsError as fault:
        sentence = f"roots.pem or chain.pem in {folder} cannot be kept, and nothing was changed. {fault}"
        raise CommandError(sentence) from fault
    _append(roots, more if kept.endswith(b"\n") or not kept else b"\n" + more)


def _append(file: Path, content: bytes) -> None:
    """In place: a container sees what is added to a file that it has mounted, and not another that takes its place."""
    with os.fdopen(
        os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, EVERYBODY), "ab", buffering=0
    ) as kept:
        length = kept.seek(0, os.SEEK_END)
        if kept.write(content) < len(content):
            kept.truncate(length)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(kept.fileno())


def _write(file: Path, content: bytes, mode: int) -> None:
    """A new file takes the old one's place: its mode is its own from the first moment, whatever the old one's."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as written:
            written.write(content)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)

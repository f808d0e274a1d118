"""The folder that outlives a run: who has it in use, and the keys that were made for it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from embedded.failures import CannotStart


class StateFolder:
    """Held by one run at a time. The kernel lets go of it with the process, also after `kill -9`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = self.path.stat().st_uid
            if owner != os.geteuid():
                raise CannotStart(
                    f"{self.path} belongs to user {owner}, and you are user {os.geteuid()}: it was made by a start as "
                    "somebody else. Start as that user, or delete the folder to begin anew."
                )
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise CannotStart(
                f"{self.path} cannot be written ({error.strerror}). Make it writable, or free space."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock, 500).decode(errors="replace").strip()
            raise CannotStart(
                f"Private View already runs from this folder ({holder or 'it is just starting'}). Use that one, or "
                "stop it first: Ctrl-C in its terminal."
            ) from None
        self.note(f"process {os.getpid()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)

    def note(self, holder: str) -> None:
        """What another start from the same folder is told."""
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, holder.encode(), 0)

    def make_mark_keys(self) -> None:
        """The file of the forensic marks' keys, made at the first start: one key, in `generation.keys`' form."""
        self._make(
            "mark-keys", f"m{secrets.token_hex(4)} {base64.b64encode(secrets.token_bytes(32)).decode()}\n"
        )

    def keys(self) -> dict[str, str]:
        """Made at the first start: sessions and tokens go on working after the next."""
        file = self.path / "keys.json"
        if file.exists():
            found: dict[str, str] = json.loads(file.read_text())
            return found
        made = {"secret_key": secrets.token_urlsafe(48), "token_pepper": secrets.token_urlsafe(48)}
        self._make("keys.json", json.dumps(made))
        return made

    def _make(self, name: str, text: str) -> None:
        """A file that is whole or not there, and never was anybody else's to read."""
        file = self.path / name
        if not file.exists():
            unfinished = self.path / f"{name}.unfinished"
            unfinished.touch(mode=0o600)
            unfinished.write_text(text)
            unfinished.replace(file)

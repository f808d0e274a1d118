"""The keys of the forensic marks and of the native frames. Whoever has one can read and forge marks: workers that make
copies or trace them are given the file, nobody else, and the web process refuses to start with it.

A file of lines, each the name of a master key and 32 bytes in base64, the newest last. Marks are made under the key of
an *epoch*: the month and the newest master, derived by HKDF (RFC 5869). After a loss a new line is added; the old ones
stay, for tracing what was marked before.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings

from generation.errors import EngineError

_BYTES: Final = 32
_NAME: Final = re.compile(r"[a-z0-9]{1,12}")
_EPOCH: Final = re.compile(r"(\d{4}-\d{2})\.([a-z0-9]{1,12})")


class NoKey(EngineError):
    """The file of keys is missing, unreadable, or does not hold the one that is needed."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Master keys by name, in the order of the file."""

    masters: dict[str, bytes] = field(repr=False)

    @property
    def newest(self) -> str:
        return list(self.masters)[-1]

    def epoch_at(self, now: datetime) -> str:
        """What marks that are made now are made under: `2026-11.m1`, changing with the month in UTC."""
        return f"{now.astimezone(UTC):%Y-%m}.{self.newest}"

    def key_of(self, epoch: str) -> bytes:
        """The 32 bytes that marks of an epoch are made under. Raises NoKey where its master is not in the file."""
        return self._of(epoch, "mark")

    def sealing_key_of(self, epoch: str) -> bytes:
        """The 32 bytes that native frames of an epoch are encrypted with. Raises NoKey likewise."""
        return self._of(epoch, "source")

    def knows(self, epoch: str) -> bool:
        """Whether its master is in the file."""
        found = _EPOCH.fullmatch(epoch)
        return found is not None and found[2] in self.masters

    def _of(self, epoch: str, purpose: str) -> bytes:
        found = _EPOCH.fullmatch(epoch)
        if found is None or found[2] not in self.masters:
            raise NoKey(f"The key of the epoch {epoch} is not in the file of keys.")
        return derived(self.masters[found[2]], f"private-view {purpose} epoch {found[1]}")


def ring() -> KeyRing:
    """The keys that this process was given. Raises NoKey with what to do."""
    if not settings.MARK_KEYS:
        raise NoKey(
            "PRIVATE_VIEW_MARK_KEYS is not set: without the file of keys no clip can be marked or traced. "
            "`manage.py make_mark_key FILE` makes one."
        )
    path = Path(settings.MARK_KEYS)
    try:
        changed = path.stat().st_mtime_ns
    except OSError as fault:
        raise NoKey(f"The file of keys {path} cannot be read: {fault.strerror}.") from fault
    return _read(path, changed)


def derived(master: bytes, purpose: str) -> bytes:
    """HKDF-SHA256 of a master key for one purpose, 32 bytes."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), _BYTES, salt=None, info=purpose.encode()).derive(master)


def new_name() -> str:
    """Of a new key. By chance: two files that were begun apart, or a key that was taken out, must not give one name to
    two keys, for then what was marked under the one is looked for under the other."""
    return f"m{secrets.token_hex(4)}"


def line(name: str, master: bytes) -> str:
    """A key as it stands in the file."""
    return f"{name} {base64.b64encode(master).decode()}\n"


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> KeyRing:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as fault:
        raise NoKey(f"The file of keys {path} cannot be read: {fault}.") from fault
    masters: dict[str, bytes] = {}
    for number, words in enumerate((written.split() for written in text.splitlines()), start=1):
        if words:
            masters |= _parsed(words, f"line {number} of {path}", masters)
    if not masters:
        raise NoKey(f"The file of keys {path} holds none.")
    return KeyRing(masters)


def _parsed(words: list[str], place: str, known: dict[str, bytes]) -> dict[str, bytes]:
    if len(words) != 2 or not _NAME.fullmatch(words[0]) or words[0] in known:
        raise NoKey(f"In {place} there is no new name and a key.")
    try:
        master = base64.b64decode(words[1], validate=True)
    except binascii.Error as fault:
        raise NoKey(f"In {place} the key is not base64.") from fault
    if len(master) != _BYTES:
        raise NoKey(f"In {place} the key has {len(master)} bytes, not {_BYTES}.")
    return {words[0]: master}

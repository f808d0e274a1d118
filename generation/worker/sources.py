"""Native frames of clips: sealed before they leave this worker's folder, opened again in another's.

Workers without keys know this module too, and have no libsodium: it is imported where it is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from generation import keys
from generation.errors import Transient
from generation.services import files
from generation.services.files import StoredFile


def seal_for(epoch: str) -> Callable[[Path, Path], None]:
    """Seals under the key of that epoch."""
    from generation.stores import sealing

    key = keys.ring().sealing_key_of(epoch)

    def seal(source: Path, target: Path) -> None:
        sealing.seal(source, target, key=key, epoch=epoch)

    return seal


def opened(stored: StoredFile, folder: Path) -> Path:
    """The frames' file, in a folder that goes with this worker. Raises Transient where the store has it not as it was.

    That it opens says that it was sealed here, and its digest that it is this one: two that were sealed could have been
    put in each other's place.
    """
    target = folder / "source.mkv"
    try:
        with files.store().open(stored.key) as sealed:
            if _digest(sealed) != stored.sha256:
                raise Transient(f"{stored.key} was changed since it was stored, or is another file")
            sealed.seek(0)
            unseal(sealed, target)
    except OSError as fault:
        raise Transient(f"{stored.key} cannot be opened: {fault}") from fault
    return target


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def unseal(sealed: BinaryIO, target: Path) -> None:
    """Raises Transient where it is not what was sealed."""
    from generation.stores import sealing

    try:
        sealing.unseal(sealed, target, key_of=keys.ring().sealing_key_of)
    except sealing.NotOurs as fault:
        raise Transient(str(fault)) from fault

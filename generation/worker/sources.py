"""Native frames of clips: sealed before they leave this worker's folder, opened again in another's.

Workers without keys know this module too, and have no libsodium: it is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from generation import keys
from generation.errors import Transient
from generation.services import files
from generation.services.files import StoredFile


class SourceGone(Transient):
    """The store has no native frames, or others than were put there: worth another try only to whoever can wait."""


def seal_for(epoch: str) -> Callable[[Path, Path], None]:
    """Seals under the key of that epoch."""
    from generation.stores import sealing

    key = keys.ring().sealing_key_of(epoch)

    def seal(source: Path, target: Path) -> None:
        sealing.seal(source, target, key=key, epoch=epoch)

    return seal


def opened(stored: StoredFile, folder: Path) -> Path:
    """The frames' file, in a folder that goes with this worker. Raises SourceGone where the store has it not as it was,
    Transient where it cannot be read now, NoKey.

    That it opens says that it was sealed here, and its digest that it is this one: two that were sealed could have been
    put in each other's place.
    """
    target = folder / "source.mkv"
    try:
        with files.store().open(stored.key) as sealed:
            if files.digest(sealed) != stored.sha256:
                raise SourceGone(f"{stored.key} was changed since it was stored, or is another file")
            sealed.seek(0)
            unseal(sealed, target)
    except FileNotFoundError as fault:
        raise SourceGone(f"{stored.key} is gone: it cannot be opened") from fault
    except OSError as fault:
        raise Transient(f"{stored.key} cannot be opened: {fault}") from fault
    return target


def unseal(sealed: BinaryIO, target: Path) -> None:
    """Raises SourceGone where it is not what was sealed, NoKey."""
    from generation.stores import sealing

    try:
        sealing.unseal(sealed, target, key_of=keys.ring().sealing_key_of)
    except sealing.NotOurs as fault:
        raise SourceGone(str(fault)) from fault

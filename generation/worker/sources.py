"""Native frames of clips: sealed before they leave this worker's folder, opened again in another's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from generation import keys
from generation.errors import Transient
from generation.services import files
from generation.services.files import StoredFile
from generation.stores import sealing


def seal_for(epoch: str) -> Callable[[Path, Path], None]:
    """Seals under the key of that epoch."""
    key = keys.ring().sealing_key_of(epoch)

    def seal(source: Path, target: Path) -> None:
        sealing.seal(source, target, key=key, epoch=epoch)

    return seal


def opened(stored: StoredFile, folder: Path) -> Path:
    """The frames' file, in a folder that goes with this worker. Raises Transient where the store has it not as it was.

    Its digest is not looked at: what opens is what was sealed.
    """
    target = folder / "source.mkv"
    try:
        with files.store().open(stored.key) as sealed:
            if stored.key.endswith(".mkv"):  # kept before frames were sealed
                target.write_bytes(sealed.read())
            else:
                unseal(sealed, target)
    except OSError as fault:
        raise Transient(f"{stored.key} cannot be opened: {fault}") from fault
    return target


def unseal(sealed: BinaryIO, target: Path) -> None:
    """Raises Transient where it is not what was sealed."""
    try:
        sealing.unseal(sealed, target, key_of=keys.ring().sealing_key_of)
    except sealing.NotOurs as fault:
        raise Transient(str(fault)) from fault

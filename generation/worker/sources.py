"""Native frames of clips: sealed before they leave this worker's folder, opened again in another's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

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
            sealing.unseal(sealed, target, key_of=keys.ring().sealing_key_of)
    except (OSError, sealing.NotOurs) as fault:
        with suppress(FileNotFoundError):
            target.unlink()
        raise Transient(f"{stored.key} cannot be opened: {fault}") from fault
    return target

"""Files that lie in the store for workers alone: encrypted, and refused when a byte of them is not ours.

libsodium's secretstream (XChaCha20-Poly1305) in pieces of a megabyte: one that was changed, left out or put elsewhere
does not open, nor does a file that was cut off. The head names the epoch whose key opens it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

_HEAD: Final = b"private-view sealed 1\n"
_PIECE: Final = 1 << 20
_MORE: Final = sodium.crypto_secretstream_xchacha20poly1305_ABYTES
_STREAM: Final = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_LAST: Final = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_GOES_ON: Final = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE


class NotOurs(Exception):
    """The file is none of ours, was damaged, or is under another key."""


def seal(source: Path, target: Path, *, key: bytes, epoch: str) -> None:
    """Write `source` encrypted to `target`. `key` has 32 bytes; the epoch is written in the open."""
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    stream = sodium.crypto_secretstream_xchacha20poly1305_init_push(state, key)
    head = _HEAD + epoch.encode() + b"\n"
    with source.open("rb") as plain, target.open("xb") as sealed:
        sealed.write(head + stream)
        for piece, last in _pieces(plain, _PIECE):
            tag = _LAST if last else _GOES_ON
            sealed.write(sodium.crypto_secretstream_xchacha20poly1305_push(state, piece, head, tag))


def unseal(sealed: BinaryIO, target: Path, *, key_of: Callable[[str], bytes]) -> None:
    """Write what was sealed to `target`; `key_of` gives the key of an epoch. Raises NotOurs, and leaves no target."""
    head = sealed.readline(len(_HEAD))
    epoch = sealed.readline(100)
    stream = sealed.read(_STREAM)
    if head != _HEAD or not epoch.endswith(b"\n") or len(stream) != _STREAM:
        raise NotOurs("this file was not sealed here")
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, stream, key_of(epoch[:-1].decode("ascii")))
    try:
        with target.open("xb") as plain:
            for piece, last in _pieces(sealed, _PIECE + _MORE):
                text, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(state, piece, head + epoch)
                if (tag == _LAST) != last:
                    raise NotOurs("this file was cut off")
                plain.write(text)
    except (CryptoError, RuntimeError, ValueError) as fault:
        target.unlink(missing_ok=True)
        raise NotOurs("this file was changed since it was sealed, or sealed with another key") from fault
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _pieces(file: BinaryIO, size: int) -> Iterator[tuple[bytes, bool]]:
    """Pieces of that size, and whether each is the last; an empty file is one empty piece."""
    piece = file.read(size)
    while True:
        following = file.read(size)
        yield piece, not following
        if not following:
            return
        piece = following

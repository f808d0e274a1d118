"""Public ids: a prefix that names the kind, then 128 bits that nobody can guess."""

from __future__ import annotations

import secrets

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LENGTH = 22
# No 0/O, 1/I/L, 5/S, 8/B, 2/Z: a person types this off a frame of video.
_CODE_ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"


def new(prefix: str) -> str:
    """`prefix_` and 22 characters of base 58 (128.9 bits)."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def clip_code() -> str:
    """The short code burnt into a clip, as `XXXX-XXXX` (37 bits; the table keeps it unique)."""
    letters = [secrets.choice(_CODE_ALPHABET) for _ in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])

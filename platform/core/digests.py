"""Secrets are stored as keyed digests: a stolen table opens nothing without the key."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import zlib

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def random_secret(length: int) -> str:
    return "".join(secrets.choice(BASE62) for _ in range(length))


def keyed(secret: str, *, key: bytes) -> bytes:
    """HMAC-SHA-256, 32 bytes."""
    return hmac.new(key, secret.encode(), hashlib.sha256).digest()


def same(left: bytes, right: bytes) -> bool:
    return hmac.compare_digest(left, right)


def checksum62(text: str) -> str:
    """CRC-32 of `text` as six characters of base 62, so that a typing error is found without asking anybody."""
    value = zlib.crc32(text.encode())
    digits = ""
    for _ in range(6):
        value, rest = divmod(value, 62)
        digits = BASE62[rest] + digits
    return digits

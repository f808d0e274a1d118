"""Secrets that whoever bears them may use: `pv_<kind>_<id>_<secret><checksum>`.

The prefix lets scanners find a leaked one, the underscores let a double click select it whole, the id finds
its row without a search over digests, and the checksum tells a typing error from a forgery offline.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core import digests

ID_LENGTH = 10
SECRET_LENGTH = 32  # 190 bits
_SHAPE = re.compile(
    rf"pv_([a-z]{{3}})_([0-9A-Za-z]{{{ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{6}})"
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """`id` is stored and may be shown; `secret` is shown once and never stored."""

    kind: str
    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        body = f"pv_{self.kind}_{self.id}_{self.secret}"
        return body + digests.checksum62(body)

    def digest(self, key: str) -> bytes:
        """What is stored: HMAC-SHA-256 over the whole text, so that kind and id cannot be exchanged either."""
        return digests.keyed(self.text, key=key.encode())


def make(kind: str) -> Bearer:
    """A new one. `kind` is three lower-case letters."""
    return Bearer(kind, digests.random_secret(ID_LENGTH), digests.random_secret(SECRET_LENGTH))


def parse(text: str) -> Bearer | None:
    """The parts of `text`, or None when its shape or its checksum is wrong."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    bearer = Bearer(found[1], found[2], found[3])
    return bearer if digests.same(bearer.text.encode(), text.encode()) else None

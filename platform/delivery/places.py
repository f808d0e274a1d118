"""What only a few may do at a time: everybody together, and each by themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock
from typing import Final

from core.errors import NotYet

_SENDING: Final = "Other files are being sent to us."
_PREFIX: Final = 64  # bits of an IPv6 address that say whose it is; a line at home has all that follow


class Places:
    """`at_once` in this process, `each` of one neighbourhood. `taken` and `yours` say which of the two it was."""

    def __init__(self, at_once: int, *, each: int, taken: str = _SENDING, yours: str = _SENDING) -> None:
        self._at_once, self._each, self._sentences = at_once, each, (taken, yours)
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """Raises NotYet (busy) at once: who waits keeps a page from others."""
        whose = neighbourhood(address)
        self._take(whose)
        try:
            yield
        finally:
            with self._lock:
                self._taken[whose] -= 1
                self._taken = +self._taken  # who has gone is forgotten

    def _take(self, whose: str) -> None:
        taken, yours = self._sentences
        with self._lock:
            if self._taken[whose] >= self._each:
                raise _busy(yours)
            if self._taken.total() >= self._at_once:
                raise _busy(taken)
            self._taken[whose] += 1


def neighbourhood(address: str) -> str:
    """Whose an address is. Of IPv6 everybody has so many that each request could come from another."""
    try:
        found = ip_address(address)
    except ValueError:  # none, as where a proxy speaks to us over a socket of this machine
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), _PREFIX), strict=False))


def _busy(sentence: str) -> NotYet:
    return NotYet("busy", f"{sentence} Try again in a few seconds.", retry_after=5)

"""Tests talk to this machine alone."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

_installed = False


class ForeignHost(AssertionError):
    """A test tried to reach another machine."""


def forbid_foreign_hosts() -> None:
    """For the rest of this process: an audit hook cannot be taken off, and sees asyncio's connections too."""
    global _installed  # noqa: PLW0603 - one hook a process
    if not _installed:
        _installed = True
        sys.addaudithook(_check)


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" or event == "socket.sendto":
        family = getattr(arguments[0], "family", None)
        if family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(str(arguments[1][0])):
            raise ForeignHost(f"tests may not connect to {arguments[1]}")
    elif event == "socket.getaddrinfo" and not _is_loopback(_text(arguments[0])):
        raise ForeignHost(f"tests may not look up {arguments[0]}")


def _text(host: object) -> str:
    if isinstance(host, bytes):
        return host.decode(errors="replace")
    return "localhost" if host is None else str(host)


def _is_loopback(host: str) -> bool:
    if host in ("", "localhost", "0.0.0.0", "::", socket.gethostname()):  # noqa: S104 - names of this machine
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

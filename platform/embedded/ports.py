"""A port to answer on."""

from __future__ import annotations

import socket

from embedded.failures import CannotStart

HOST = "127.0.0.1"


def listen(first: int, *, tries: int = 100) -> socket.socket:
    """A socket that listens on the first free port from `first` on.

    It stays open for as long as we run, and web processes come and go behind it: nobody can take the port in
    between, and a caller waits a moment instead of being refused.
    """
    for port in range(first, first + tries):
        if _answers("::1", port):
            continue  # browsers would reach the other one: they try `localhost` by IPv6 first
        try:
            return socket.create_server((HOST, port), backlog=512)
        except PermissionError:
            raise CannotStart(f"Port {port} needs root. Choose one above 1023: PORT=8000 make demo") from None
        except OSError:
            continue
    raise CannotStart(
        f"The ports {first} to {first + tries - 1} are all taken. Choose another: PORT=9000 make demo"
    )


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.2):
            return True
    except OSError:
        return False

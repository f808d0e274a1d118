"""Where a server may send us for a file: public addresses over https, and nothing else.

The name is looked up here, every address behind it is looked at, and the connection goes to just that address: a
second look-up could answer differently. Credentials are never sent along.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

import httpx

from generation.errors import EngineError, Transient

IP: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]


class NotPublic(EngineError):
    """The server sent us to an address that it has no business to send us to."""


def is_public(address: IP) -> bool:
    """Whether the address is of the open internet; one that wraps an IPv4 address in IPv6 never is."""
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address.is_site_local
    ):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_private or address.is_unspecified
    )


def look_up(host: str, port: int) -> list[str]:
    """Addresses of a host. Raises Transient when its name is not known at the moment."""
    with suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except (OSError, UnicodeError):
        raise Transient(f"The host {host} is not known.") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PublicTransport(httpx.BaseTransport):
    """Connects to public addresses over https alone; NotPublic for any other."""

    def __init__(self, inner: httpx.BaseTransport | None = None, resolve: Resolve = look_up) -> None:
        # No connection is kept: it would be found again by its number, whatever name it was opened for.
        self._inner = inner or httpx.HTTPTransport(
            limits=httpx.Limits(max_keepalive_connections=0), trust_env=False
        )
        self._resolve = resolve

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.raw_host.decode("ascii")
        if request.url.scheme != "https":
            raise NotPublic(f"The server sent us to {host} without https.")
        fault: httpx.ConnectError | httpx.ConnectTimeout | None = None
        for address in self._addresses(host, request.url.port or 443):
            try:
                return self._inner.handle_request(_at(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as unreachable:
                fault = unreachable
        raise fault or Transient(f"The host {host} has no address.")

    def _addresses(self, host: str, port: int) -> list[IP]:
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in self._resolve(host, port)]
        if not all(is_public(address) for address in found):
            raise NotPublic(f"The server sent us to {host}, which is not a public address.")
        return found

    def close(self) -> None:
        self._inner.close()


def _at(request: httpx.Request, host: str, address: IP) -> httpx.Request:
    """The same request to one address of the host: certificate and Host header stay the host's."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        extensions={**request.extensions, "sni_hostname": host},
    )

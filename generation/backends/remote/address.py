"""Which server, which model, and the token that is for this server alone.

A variant's checkpoint is `https://host/v1#model`, or `https://lab@host/v1#model` where the server asks for a token.
The token stands in the environment of the worker, behind the one address that it may be sent to:

    PRIVATE_VIEW_REMOTE_TOKEN_LAB="https://host pv_…"

So whoever may edit a variant sees no token, and cannot have it sent to a server of their own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from generation.errors import EngineError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """`url` has no slash at its end, no name and no model in it; an empty `model` is the server's only one."""

    url: str
    model: str = ""
    token: str = field(default="", repr=False)


def read(checkpoint: str, environment: Mapping[str, str] = os.environ) -> Address:
    """A checkpoint as an address, with its token. Raises EngineError for one that cannot be used."""
    try:
        url = httpx.URL(checkpoint)
    except httpx.InvalidURL:
        raise EngineError("A remote checkpoint is an address such as https://host/v1#model.") from None
    if url.scheme not in _PORTS or not url.host:
        raise EngineError("A remote checkpoint is an address such as https://host/v1#model.")
    if url.password or url.query:
        raise EngineError(
            "A remote checkpoint has no password and no query in it; a token is named before the @."
        )
    plain = url.copy_with(username=None, password=None, fragment=None)
    token = _token(url.username, plain, environment) if url.username else ""
    return Address(str(plain).rstrip("/"), url.fragment, token)


def _token(name: str, url: httpx.URL, environment: Mapping[str, str]) -> str:
    if not _NAME.fullmatch(name):
        raise EngineError("The name of a remote token has letters, digits and _ alone.")
    variable = f"PRIVATE_VIEW_REMOTE_TOKEN_{name.upper()}"
    server, _, token = environment.get(variable, "").strip().partition(" ")
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable():
        raise EngineError(f"{variable} must hold an address, a space and the token for it.")
    if not same_server(httpx.URL(server), url):
        raise EngineError(f"{variable} is the token of another server.")
    return token


def same_server(one: httpx.URL, other: httpx.URL) -> bool:
    """Whether scheme, host and port are the same."""
    return _server(one) == _server(other)


def _server(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme)

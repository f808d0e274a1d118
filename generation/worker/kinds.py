"""What decides a render's bits beside its spec: the machine, the number format, the memory rung, the libraries."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generation.backends.base import Backend

_ROOMIEST = "none"


def kind_of(backend: Backend) -> str:
    """Two workers of one kind give the same frames, bit for bit; what an outside server runs on is not known."""
    capability = backend.capability()
    if backend.name != "diffusers":
        return f"{backend.name} {capability.device} {capability.dtype}"
    rung = "" if capability.rung == _ROOMIEST else f"{capability.rung}, "
    machine = capability.hardware or capability.device
    return f"{machine}, {capability.dtype}, {rung}{_libraries()}"


@cache
def _libraries() -> str:
    return ", ".join(f"{library} {_version(library)}" for library in ("torch", "diffusers"))


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"

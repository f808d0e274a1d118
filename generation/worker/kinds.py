"""What decides a render's bits beside its spec: the device, the number format and the libraries' versions."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generation.backends.base import Backend

_LONGEST = 80


def kind_of(backend: Backend) -> str:
    """Two workers of one kind give the same frames, bit for bit; what an outside server runs on is not known."""
    capability = backend.capability()
    return _kind(backend.name, capability.device, capability.dtype)


@cache
def _kind(name: str, device: str, dtype: str) -> str:
    if name != "diffusers":
        return f"{name} {device} {dtype}"[:_LONGEST]
    libraries = " ".join(f"{library} {_version(library)}" for library in ("torch", "diffusers"))
    return f"{_device(device)} {dtype}, {libraries}"[:_LONGEST]


def _device(device: str) -> str:
    """A processor's sums are split over threads, so that their number counts."""
    if device != "cpu":
        return device
    threads = os.environ.get("PRIVATE_VIEW_TORCH_THREADS") or str(os.cpu_count())
    return f"cpu {platform.machine()} x{threads}"


@cache
def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"

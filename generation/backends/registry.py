"""Backends by name, one instance of each checkpoint in a process."""

from __future__ import annotations

import threading
from collections.abc import Collection

from generation.backends.base import Backend
from generation.errors import EngineError

_loading = threading.Lock()
_loaded: dict[tuple[str, str], Backend] = {}


def load(backend: str, checkpoint: str = "builtin") -> Backend:
    """The backend with its checkpoint in memory; the first call in a process takes seconds.

    `backend` is `diffusers`, `remote` or `null`. `checkpoint` is `builtin`, a folder, or a hub id such as
    `owner/name@revision`; of a remote one an address such as `https://host/v1#model`; the null backend has none.
    EngineError when there is no such backend or checkpoint, Transient when a server does not answer.
    """
    place = (backend, checkpoint)
    with _loading:
        if place not in _loaded:
            _loaded[place] = _open(backend, checkpoint)
        return _loaded[place]


def loaded() -> dict[tuple[str, str], Backend]:
    """What is in memory, by backend and checkpoint, the first loaded first."""
    return dict(_loaded)


def keep(places: Collection[tuple[str, str]]) -> None:
    """Let go of all others. Their memory is free once nobody renders with them any more."""
    with _loading:
        for place in _loaded.keys() - set(places):
            del _loaded[place]


def _open(backend: str, checkpoint: str) -> Backend:
    if backend == "null":
        from generation.backends.null import open_pace

        return open_pace(checkpoint)
    if backend == "diffusers":
        from generation.backends.diffusers.backend import open_checkpoint  # torch is imported from here on

        return open_checkpoint(checkpoint)
    if backend == "remote":
        from generation.backends.remote.backend import open_server

        return open_server(checkpoint)
    raise EngineError(f"There is no backend {backend!r}; there are 'diffusers', 'remote' and 'null'.")

"""Backends by name, one instance of each checkpoint in a process."""

from __future__ import annotations

import threading
from functools import cache

from generation.backends.base import Backend
from generation.errors import EngineError

_loading = threading.Lock()


def load(backend: str, checkpoint: str = "builtin") -> Backend:
    """The backend with its checkpoint in memory; the first call in a process takes seconds.

    `backend` is `diffusers`, `remote` or `null`. `checkpoint` is `builtin`, a folder, or a hub id such as
    `owner/name@revision`; of a remote one an address such as `https://host/v1#model`; the null backend has none.
    EngineError when there is no such backend or checkpoint, Transient when a server does not answer.
    """
    with _loading:
        return _load(backend, checkpoint)


@cache
def _load(backend: str, checkpoint: str) -> Backend:
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

"""What a process that reads hostile files may take: it gives up everything else before it opens them."""

from __future__ import annotations

import resource


def limit(*, memory: int, seconds: int) -> None:
    """From now on at most so many bytes of address space and seconds of CPU; no file can be written."""
    for which, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(which, (most, most))

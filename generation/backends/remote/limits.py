"""How long and how much a server may take before we stop waiting for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes."""

    connect: float = 10.0
    silence: float = 15.0  # between two pieces of an answer; a stop is noticed after it at the latest
    answer: float = 30.0  # for a whole answer that is no file
    outage: float = 120.0  # without one good answer
    render: float = 3600.0  # from the order to the end of the render
    download: float = 900.0
    goodbye: float = 5.0  # to tell the server that a job is no longer wanted
    first_pause: float = 0.5  # between two questions about a job, where the server gives no hint
    longest_pause: float = 10.0
    file_bytes: int = 1 << 30
    picture_pixels: int = 4096 * 4096  # of one frame
    clip_seconds: float = 120.0

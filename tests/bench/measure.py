"""Processor time of process trees, closed loops, and what is said of several rounds."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

Job = Callable[[], Awaitable[None]]


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of the trees, of children that have ended as well."""
    total = 0.0
    for pid in pids:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
    return total


@dataclass(frozen=True)
class Loop:
    """What one closed loop came to."""

    seconds: float
    latencies: list[float]
    trees: tuple[float, ...]
    """Processor time of each tree, in seconds."""

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def cpu_each(self) -> float:
        return sum(self.trees) / len(self.latencies)

    @property
    def p50(self) -> float:
        return statistics.median(self.latencies)


async def closed_loop(job: Job, *, clients: int, jobs: int, pids: Sequence[int]) -> Loop:
    """`jobs` in all, by `clients` that each begin the next when theirs is done."""
    left = jobs
    latencies: list[float] = []

    async def client() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            begun = time.perf_counter()
            await job()
            latencies.append(time.perf_counter() - begun)

    before, begun = [cpu_seconds([pid]) for pid in pids], time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    seconds = time.perf_counter() - begun
    used = tuple(cpu_seconds([pid]) - spent for pid, spent in zip(pids, before, strict=True))
    return Loop(seconds, latencies, used)


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def said(values: Sequence[float], scale: float = 1.0, digits: int = 1) -> str:
    """The median, and the range of the rounds."""
    low, middle, high = (scale * value for value in (min(values), statistics.median(values), max(values)))
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


class Http:
    """A connection that is kept: the least client that there can be, so that the machine is the server's."""

    def __init__(self, port: int, token: str = "") -> None:
        self._port, self._token = port, token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> Any:
        """The JSON of the answer. Raises RuntimeError for anything but 200."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        bearer = f"Authorization: Bearer {self._token}\r\n" if self._token else ""
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n{bearer}{kind}\r\n"
        )
        writer.write(head.encode() + body)
        status, length = await self._head(reader)
        text = await reader.readexactly(length)
        if status != 200:
            raise RuntimeError(f"{method} {path}: {status} {text[:300]!r}")
        return json.loads(text)

    @staticmethod
    async def _head(reader: asyncio.StreamReader) -> tuple[int, int]:
        lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        return int(lines[0].split(b" ")[1]), length

    async def events(self, path: str, *, cookie: str = "") -> bytes:
        """A stream of events on a connection of its own, whole."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        signed = f"Cookie: {cookie}\r\n" if cookie else ""
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{signed}Connection: close\r\n\r\n"
        writer.write(head.encode())
        text = await reader.read(-1)
        writer.close()
        return text

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()

"""A process of ffmpeg: started, listened to, ended."""

from __future__ import annotations

import fcntl
import os
import selectors
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Final

_POLL: Final = 0.1  # seconds
_PIPE: Final = 1 << 20  # bytes that a pipe holds where the system lets: fewer turns for each frame


class Running:
    """ffmpeg in a folder, with pipes to it and from it; what it complains of is kept. Ended when the block is."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command, self._folder, self._stack = command, folder, ExitStack()

    def __enter__(self) -> Running:
        with ExitStack() as stack:
            self._complaints = stack.enter_context(tempfile.TemporaryFile())
            self.process = stack.enter_context(
                subprocess.Popen(
                    self._command,
                    cwd=self._folder,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._complaints,
                )
            )
            _widen(self.process)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._stack.__exit__(kind, fault, trace)

    def end(self) -> int:
        """Kill it if it still runs. Its return code; 0 when it had to be killed: then somebody else's fault counts."""
        code = self.process.poll()
        self.process.kill()  # no-op for one that has ended; who feeds it must not wait for one that has not
        self.process.wait()
        return code or 0

    def complaints(self) -> str:
        """The end of what it said of errors."""
        self._complaints.seek(0)
        return self._complaints.read()[-600:].decode(errors="replace").strip()


def progress(process: subprocess.Popen[bytes]) -> Iterator[int | None]:
    """Frames of the clip that are encoded, whenever ffmpeg says so; None when it has been silent for a while."""
    with selectors.DefaultSelector() as waiting:
        if process.stdout is not None:
            waiting.register(process.stdout, selectors.EVENT_READ)
        while waiting.get_map():
            if not waiting.select(_POLL):
                yield None
            elif said := os.read(process.stdout.fileno(), 1 << 16):  # type: ignore[union-attr]
                counts = [line[6:] for line in said.splitlines() if line.startswith(b"frame=")]
                yield int(counts[-1]) if counts and counts[-1].strip().isdigit() else None
            else:
                waiting.unregister(process.stdout)  # type: ignore[arg-type]
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL)
            return
        yield None


def _widen(process: subprocess.Popen[bytes]) -> None:
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # past what this user may have
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)  # type: ignore[arg-type]

"""The body of a request as a file: a small one in memory, a large one on the disk, few of those at once.

Whoever sends has not been asked yet who they are. So nothing is read that is larger than its address takes, a large
body needs a place before its first byte is taken, and one that comes too slowly loses it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, Final, cast

from starlette.datastructures import Headers, UploadFile
from starlette.types import Receive, Scope

from core.errors import DomainError, NotYet

REFUSAL: Final = "private_view.refusal"  # in a request's environment: why its body was not read
_GRACE: Final = 30.0  # seconds in which a large body need not have come any further
_SLOWEST: Final = 64 * 1024  # bytes a second, on average after that


class Places:
    """How many large bodies there may be at once, of everybody and of one address. For one event loop."""

    def __init__(self, at_once: int, *, each: int) -> None:
        self._at_once, self._each = at_once, each
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """Raises NotYet (busy)."""
        if self._taken.total() >= self._at_once or self._taken[address] >= self._each:
            sentence = "Other files are being sent to us. Try again in a few seconds."
            raise NotYet("busy", sentence, retry_after=5)
        self._taken[address] += 1
        try:
            yield
        finally:
            self._taken[address] -= 1
            self._taken = +self._taken  # addresses that have gone are forgotten


@dataclass(frozen=True, slots=True)
class Door:
    """What an address takes: `most` bytes of one body, and the sentence for who sends more.

    `check` raises for who may send nothing large, by the headers alone.
    """

    most: int
    sentence: str
    places: Places
    check: Callable[[Headers], Awaitable[None]] | None = None

    async def admit(self, headers: Headers, address: str, kept: ExitStack) -> None:
        """A place until `kept` ends. Raises NotYet (busy), and what `check` raises."""
        if self.check is not None:
            await self.check(headers)
        kept.enter_context(self.places.one(address))


@dataclass(frozen=True, slots=True)
class Body:
    """`length`: what was read. `refusal`: why it was not read to its end; then nothing of it is here."""

    file: IO[bytes]
    length: int = 0
    refusal: DomainError | None = None


class Bodies:
    """`small` bytes are kept in memory and need no place; `door` says what the address of a request takes."""

    def __init__(self, *, small: int, door: Callable[[str, str], Door]) -> None:
        self._small, self._door = small, door

    @asynccontextmanager
    async def read(self, scope: Scope, receive: Receive) -> AsyncIterator[Body | None]:
        """None when the client left before its end: half a form must not be taken for a whole one.

        Of a body that is too large nothing is read where it says so, and where it does not one piece too much.
        """
        if scope["method"] in {"GET", "HEAD"}:
            yield Body(BytesIO())
            return
        spool = UploadFile(_spooled(self._small), size=0)
        try:
            with ExitStack() as place:
                yield await self._read(scope, receive, spool, place)
        finally:
            await spool.close()

    async def _read(self, scope: Scope, receive: Receive, spool: UploadFile, place: ExitStack) -> Body | None:
        headers = Headers(scope=scope)
        door, told = self._door(scope["path"], headers.get("content-type", "")), _told(headers)
        if told > door.most:
            return Body(spool.file)
        address = (scope.get("client") or ("",))[0]
        try:
            whole = await self._fill(spool, receive, door, told, lambda: door.admit(headers, address, place))
        except DomainError as refusal:
            return Body(spool.file, refusal=refusal)
        except TimeoutError:
            sentence = "The file came too slowly, and we have stopped waiting. Send it over a faster line."
            return Body(spool.file, refusal=NotYet("too_slow", sentence, retry_after=60))
        spool.file.seek(0)
        return Body(spool.file, spool.size or 0) if whole else None

    async def _fill(
        self, spool: UploadFile, receive: Receive, door: Door, told: int, admit: Callable[[], Awaitable[None]]
    ) -> bool:
        """False when the client left. Raises what `admit` raises, and TimeoutError where it is too slow."""
        begun, more, size = None, True, 0
        now = asyncio.get_running_loop().time
        async with asyncio.timeout(None) as patience:
            while more and size <= door.most:
                if max(told, size) > self._small:
                    if begun is None:
                        await admit()
                        begun = now()
                    patience.reschedule(begun + _GRACE + size / _SLOWEST)
                message = await receive()
                if message["type"] == "http.disconnect":
                    return False
                await spool.write(message.get("body", b""))
                size, more = spool.size or 0, message.get("more_body", False)
        return True


def _spooled(most: int) -> BinaryIO:
    return cast("BinaryIO", SpooledTemporaryFile(max_size=most))


def _told(headers: Headers) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0

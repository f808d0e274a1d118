"""The body of a request as a file: a small one in memory, a large one on the disk, few of those at once.

Whoever sends has not been asked yet who they are. So nothing is read that is larger than its address takes, a large
body needs a place before its first byte is taken, and one that comes too slowly, or takes too long, loses it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, Final, cast

from starlette.datastructures import Headers, UploadFile
from starlette.types import Receive, Scope

from core.errors import DomainError, NotYet
from delivery.places import Places

REFUSAL: Final = "private_view.refusal"  # in a request's environment: why its body was not read
_GRACE: Final = 30.0  # seconds in which a large body need not have come any further
_SLOWEST: Final = 64 * 1024  # bytes a second, on average after that


@dataclass(frozen=True, slots=True)
class Door:
    """What an address takes: `most` bytes of one body, and the sentence for who sends more.

    `check` raises for who may send nothing large, by the headers alone. After `longest` seconds a large body must be
    here whole: at the slowest, 200 MB would hold a place for an hour.
    """

    most: int
    sentence: str
    places: Places
    check: Callable[[Headers], Awaitable[None]] | None = None
    longest: float = 300

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
        spool.file.seek(0)
        return Body(spool.file, spool.size or 0) if whole else None

    async def _fill(
        self, spool: UploadFile, receive: Receive, door: Door, told: int, admit: Callable[[], Awaitable[None]]
    ) -> bool:
        """False when the client left. Raises what `admit` raises, and NotYet (too_slow)."""
        begun, more, size = None, True, 0
        now = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(None) as patience:
                while more and size <= door.most:
                    if max(told, size) > self._small:
                        if begun is None:
                            await admit()
                            begun = now()
                        patience.reschedule(begun + min(_GRACE + size / _SLOWEST, door.longest))
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return False
                    await spool.write(message.get("body", b""))
                    size, more = spool.size or 0, message.get("more_body", False)
        except TimeoutError:
            whole = begun is not None and now() >= begun + door.longest
            raise _took_too_long(door.longest) if whole else _too_slow() from None
        return True


def _too_slow() -> NotYet:
    sentence = "The file came too slowly, and we have stopped waiting. Send it over a faster line."
    return NotYet("too_slow", sentence, retry_after=60)


def _took_too_long(seconds: float) -> NotYet:
    sentence = (
        f"The file was not here whole after {seconds / 60:.0f} minutes, and we have stopped waiting. "
        "Send it over a faster line, or a smaller one."
    )
    return NotYet("too_slow", sentence, retry_after=60)


def _spooled(most: int) -> BinaryIO:
    return cast("BinaryIO", SpooledTemporaryFile(max_size=most))


def _told(headers: Headers) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0

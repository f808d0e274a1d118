"""A downloaded file as frames, decoded while they are asked for.

Two containers are read, told by their first bytes and by nothing that the server says: MP4 and Matroska (WebM). The
demuxer is named, for others open further files and addresses that stand in the file.
"""

from __future__ import annotations

import io
import os
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.video.reformatter import Interpolation

from generation.backends.remote.limits import Limits
from generation.errors import EngineError, Transient
from generation.spec import Image

if TYPE_CHECKING:
    from typing_extensions import Buffer  # from Python 3.12 on in collections.abc

_HEAD = 12  # bytes
_CHROMA = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class Film:
    """Iterate as often as you like; one frame is in memory at a time. `count` frames, all of `width` x `height`.

    Takes over the descriptor, and closes it when nobody holds the film any more. Raises Transient for what is no
    film or a broken one, EngineError for one that is far larger or of another length than anybody asked for.
    While iterating, Transient when frames are missing, damaged, of another size, or too many.
    """

    def __init__(self, descriptor: int, *, seconds: int, limits: Limits) -> None:
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)
        self._format = _format(os.pread(descriptor, _HEAD, 0))
        try:
            with self._open() as container:
                self._look(container, seconds, limits)
        except (av.FFmpegError, ValueError) as fault:
            raise Transient(f"The server's film cannot be read: {fault}") from None

    def _open(self) -> Any:
        return av.open(
            _Reader(self._descriptor),
            format=self._format,
            options={"enable_drefs": "0"},
            metadata_errors="ignore",
        )

    def _look(self, container: Any, seconds: int, limits: Limits) -> None:
        """Size, length and number of frames, without decoding any."""
        if not container.streams.video:
            raise Transient("The server's film has no pictures.")
        stream = container.streams.video[0]
        self.width, self.height = stream.codec_context.width, stream.codec_context.height
        if self.width * self.height > limits.picture_pixels:
            raise EngineError(f"The server's film is {self.width} × {self.height}, which is too large.")
        lasts = _seconds(container, stream)
        if lasts > limits.clip_seconds or not seconds / 2 <= lasts <= seconds * 2:
            raise EngineError(f"The server's film lasts {lasts:.1f} s; {seconds} s were asked for.")
        promised = stream.frames
        self.count = sum(1 for packet in container.demux(stream) if packet.size and not packet.is_discard)
        if not self.count or min(self.width, self.height) < 1:
            raise Transient("The server's film has no pictures.")
        if promised and self.count < promised:
            raise Transient(f"The server's film breaks off after {self.count} of {promised} frames.")

    def __iter__(self) -> Iterator[Image]:
        made = 0
        try:
            with self._open() as container:
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                for frame in container.decode(stream):
                    made += 1
                    if made > self.count or frame.is_corrupt or (frame.width, frame.height) != self._size:
                        raise Transient(f"The server's film is damaged at frame {made}.")
                    yield np.asarray(
                        frame.reformat(format="rgb24", interpolation=_CHROMA).to_ndarray(), np.uint8
                    )
        except (av.FFmpegError, ValueError) as fault:
            raise Transient(f"The server's film is damaged at frame {made}: {fault}") from None
        if made < self.count:
            raise Transient(f"The server's film has {made} frames instead of {self.count}.")

    @property
    def _size(self) -> tuple[int, int]:
        return self.width, self.height


class _Reader(io.RawIOBase):
    """Reads a descriptor at a place of its own, so that two who iterate do not meet. Closing it closes nothing."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0
        self._length = os.fstat(descriptor).st_size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        read = os.preadv(self._descriptor, [buffer], self._at)
        self._at += read
        return read

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at


def _format(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    raise Transient("The server's file is no film: neither MP4 nor WebM.")


def _seconds(container: Any, stream: Any) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else 0.0

"""Frames of a suspect file: video, GIF or still, whatever its name says that it is. The file may be made to do harm."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from generation.errors import SpecRejected
from generation.forensic.residual import LONGEST_SIDE, SHORTEST_SIDE, Frame

A_SECOND: Final = 24.0  # frames that are looked at
MOST: Final = 120
MOST_PIXELS: Final = 40_000_000  # of a frame; 8K has 33 million
LONGEST: Final = 4000.0  # seconds of a file that are decoded
_WHOLE: Final = 24  # frames coded by themselves that are looked at beside the others
_BITS: Final = 8
# Formats that name other files, or addresses, are not among them.
_FORMATS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,ogg,asf,gif,apng,image2,png_pipe,jpeg_pipe,jpegls_pipe,"
    "webp_pipe,bmp_pipe,tiff_pipe,mjpeg,h264,hevc,ivf,obu,yuv4mpegpipe,wav,mp3,flac,aac"
)
_OPTIONS: Final = {"protocol_whitelist": "file", "format_whitelist": _FORMATS, "max_pixels": str(MOST_PIXELS)}


def sampled(path: Path, *, most: int = MOST) -> Iterator[Frame]:
    """Luma of frames spread over the whole file, upright: about `most`, twice as many at most, and about twenty-four a
    second. Where a file does not say how long it is, they are of its beginning.

    Raises SpecRejected: file_unreadable, no_video, too_many_pixels, too_small, too_long.
    """
    count = 0
    try:
        with av.open(str(path), options=_OPTIONS) as container:
            for frame in _frames(container, most):
                count += 1
                yield frame
    except (av.FFmpegError, OSError, ValueError) as fault:
        if not count:  # of a file that was cut off, what is there will do
            raise _unreadable() from fault
    if not count:
        raise _unreadable()


def _frames(container: Any, most: int) -> Iterator[Frame]:
    if not container.streams.video:
        raise SpecRejected("no_video", "There is no video and no picture in this file.")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    rate = float(stream.average_rate or stream.guessed_rate or 25)
    seconds = float((stream.duration or 0) * (stream.time_base or Fraction(0)))
    seconds = min(seconds or float(container.duration or 0) / av.time_base, LONGEST)
    if seconds * rate > 1.5 * most:  # more than are looked at: those that no other refers to carry least
        stream.codec_context.skip_frame = "NONREF"
    every, slack = max(1 / A_SECOND, seconds / most), 0.3 / rate
    wanted, whole, count, begun = -slack, 0, 0, None
    for index, frame in enumerate(container.decode(stream)):
        _check_size(frame.width, frame.height)
        at = index / rate if frame.time is None else float(frame.time)
        begun = at if begun is None else begun
        at -= begun  # what was cut out of a broadcast begins at its hour
        due = at >= wanted
        if at > LONGEST or count == 2 * most:
            return
        if due or (frame.key_frame and whole < _WHOLE):
            wanted = max(wanted + every, at - every) if due else wanted
            whole += frame.key_frame
            count += 1
            yield Frame(_upright(_luma(frame), frame.rotation), at, bool(frame.key_frame))


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        most = MOST_PIXELS // 10**6
        sentence = f"A frame of {width} × {height} is too large: {most} million pixels are looked at."
        raise SpecRejected("too_many_pixels", sentence)
    if min(width, height) < SHORTEST_SIDE:
        sentence = (
            f"In {width} × {height} pixels nothing can be read; the shorter side needs {SHORTEST_SIDE}."
        )
        raise SpecRejected("too_small", sentence)
    if max(width, height) > LONGEST_SIDE * min(width, height):
        sentence = f"{width} × {height} pixels cannot be read: one side may be {LONGEST_SIDE} times the other at most."
        raise SpecRejected("too_long", sentence)


def _luma(frame: Any) -> NDArray[Any]:
    """Of eight bits as it is, of more in sixteen."""
    if frame.format.name.startswith(("yuv", "nv")) and frame.format.components[0].bits == _BITS:
        plane = frame.planes[0]
        return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : frame.width]
    return np.asarray(frame.to_ndarray(format="gray16le"), np.uint16)


def _upright(luma: NDArray[Any], degrees: int) -> NDArray[Any]:
    """As players show it: what the file says of its rotation, anticlockwise."""
    return np.ascontiguousarray(np.rot90(luma, round(degrees / 90) % 4))


def _unreadable() -> SpecRejected:
    return SpecRejected("file_unreadable", "This file cannot be read as a video or a picture.")

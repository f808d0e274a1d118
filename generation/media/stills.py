"""Single pictures: what was sent made safe and plain, and frames taken out of a lossless file."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import av
import numpy as np
from PIL import Image as Pictures
from PIL import ImageCms, ImageOps

from generation.errors import SpecRejected, Transient
from generation.spec import Image

MOST_BYTES: Final = 20 * 1000**2
MOST_PIXELS: Final = 40_000_000
LONGEST_SIDE: Final = 2048
SHORTEST_SIDE: Final = 64
LONGEST_SHAPE: Final = 8  # times as long as wide

_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_DEEP: Final = (
    "I",
    "I;16",
    "I;16B",
    "I;16L",
    "I;16N",
)  # 16 bits of grey, which `convert` would cut, not scale
_WITHOUT_SHADES: Final = ("1", "P", "PA")  # cannot be made smaller smoothly
_JPEGS: Final = ("JPEG", "MPO")
# A progressive JPEG is gone through once for each scan, however short: thousands of them would take hours.
_SCAN: Final = b"\xff\xda"
_MOST_SCANS: Final = 100
_SRGB: Final = ImageCms.createProfile("sRGB")


@dataclass(frozen=True, slots=True)
class Still:
    """A picture as PNG: three channels of eight bits, upright, opaque, without metadata. `sha256` is of `png`."""

    png: bytes
    sha256: str
    width: int
    height: int


def tidied(sent: bytes) -> Still:
    """What somebody sent, by its content a PNG, JPEG or WebP, as a Still of at most 2048 pixels a side.

    Turned as its EXIF says, its colours brought to sRGB, what is transparent laid on white. The size is read from the
    header and refused there, before a large picture fills the memory. Raises SpecRejected: picture_too_large,
    picture_unreadable, picture_too_many_pixels, picture_animated, picture_too_small, picture_shape.
    """
    if len(sent) > MOST_BYTES:
        raise SpecRejected(
            "picture_too_large",
            f"This picture has {len(sent) / 1000**2:.1f} MB. One to start from has at most {MOST_BYTES // 1000**2}.",
        )
    with _open(sent) as picture:
        _check_header(picture)
        if picture.format in _JPEGS and sent.count(_SCAN) > _MOST_SCANS:
            raise _unreadable()
        try:
            plain = _plain(picture)
        except Exception as fault:  # whatever a decoder raises for a file made to break it
            raise _unreadable() from fault
    return _still(plain)


def still(image: Image) -> Still:
    """One frame as a Still, its pixels untouched."""
    return _still(Pictures.fromarray(image))


def frame_at(file: BinaryIO, index: int) -> Image:
    """Frame `index` (from 0) of a lossless file in which each frame follows from key frames before it.

    Decodes from the last key frame on; in our own files each frame is one. What is damaged inside a frame goes unseen:
    ffmpeg's FFV1 reader tells its log of a wrong checksum, and nobody else. Raises Transient when the file cannot be
    read, or has fewer frames.
    """
    try:
        with av.open(file, mode="r") as container:
            stream = container.streams.video[0]
            since_key: list[Any] = []
            packets = (packet for packet in container.demux(stream) if packet.size)
            for number, packet in enumerate(packets):
                if packet.is_keyframe:
                    since_key.clear()
                since_key.append(packet)
                if number == index:
                    break
            else:
                raise Transient(f"there is no frame {index}")
            frame = [frame for packet in [*since_key, None] for frame in stream.decode(packet)][-1]
            return np.ascontiguousarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except (av.FFmpegError, IndexError, OSError, ValueError) as fault:
        raise Transient(f"a frame cannot be taken out: {fault}") from fault


def _open(sent: bytes) -> Pictures.Image:
    try:
        return Pictures.open(io.BytesIO(sent), formats=_FORMATS)
    except (Pictures.DecompressionBombError, Pictures.DecompressionBombWarning) as bomb:
        raise _too_many_pixels() from bomb
    except Exception as fault:  # whatever a reader raises for a file made to break it
        raise _unreadable() from fault


def _check_header(picture: Pictures.Image) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise _too_many_pixels()
    # Cameras put a second, small picture into a JPEG and call it MPO; the first is the one that was taken.
    if picture.format != "MPO" and getattr(picture, "is_animated", False):
        raise SpecRejected("picture_animated", "This picture moves. Send a still one, or one frame of it.")
    if min(width, height) < SHORTEST_SIDE:
        raise SpecRejected(
            "picture_too_small",
            f"This picture has {width} × {height} pixels; each side needs at least {SHORTEST_SIDE}.",
        )
    if max(width, height) > LONGEST_SHAPE * min(width, height):
        raise SpecRejected(
            "picture_shape",
            f"This picture is {width} × {height}: more than {LONGEST_SHAPE} times as long as wide.",
        )


def _plain(picture: Pictures.Image) -> Pictures.Image:
    """Decoded, upright, at most 2048 a side, sRGB on white. Made small first: the rest then costs little memory."""
    profile = picture.info.get("icc_profile")
    if picture.mode in _WITHOUT_SHADES:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Pictures.Resampling.LANCZOS)
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in _DEEP:
        shades = np.asarray(upright).astype(np.int64) >> 8
        upright = Pictures.fromarray(shades.clip(0, 255).astype(np.uint8))
    if not upright.has_transparency_data:
        return _in_srgb(upright, profile)
    clear = upright.convert("RGBA")
    ground = Pictures.new("RGB", clear.size, "white")
    ground.paste(_in_srgb(clear.convert("RGB"), profile), mask=clear.getchannel("A"))
    return ground


def _in_srgb(picture: Pictures.Image, profile: bytes | None) -> Pictures.Image:
    """A profile that makes no sense is left aside, as browsers do."""
    if profile and picture.mode in {"RGB", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass
        else:
            if made is not None:
                return made
    return picture.convert("RGB")


def _still(picture: Pictures.Image) -> Still:
    picture.info = {}  # nothing of what came with it is written out
    out = io.BytesIO()
    picture.save(out, format="PNG")
    png = out.getvalue()
    return Still(png, hashlib.sha256(png).hexdigest(), picture.width, picture.height)


def _too_many_pixels() -> SpecRejected:
    return SpecRejected(
        "picture_too_many_pixels",
        f"A picture to start from has at most {MOST_PIXELS // 10**6} million pixels.",
    )


def _unreadable() -> SpecRejected:
    return SpecRejected("picture_unreadable", "This is no readable PNG, JPEG or WebP picture.")

"""Which encoder writes the clip: the graphics card's where one works, else x264 or SVT-AV1."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from imageio_ffmpeg import get_ffmpeg_exe

from generation.errors import EngineError
from generation.media.plan import Codec

BT709: Final = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709", "color_range": "tv"}
_GOP_SECONDS: Final = 2
_LONGEST_TRIAL: Final = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Encoder:
    """ffmpeg's name of it and its options; all write closed groups of pictures of two seconds."""

    name: str
    quality: tuple[tuple[str, str | int], ...]

    def options(self, fps: int) -> dict[str, Any]:
        """Options of an ffmpeg output, the colour tags included."""
        return {
            "vcodec": self.name,
            "pix_fmt": "yuv420p",
            "g": _GOP_SECONDS * fps,
            "flags": "+cgop",
            **dict(self.quality),
            **BT709,
        }


# What is fine is kept in the frames between key frames too, as `-tune grain` does: x264 would leave out of them most of
# a forensic mark, and of the picture's own texture. Files are a third to two thirds larger.
X264: Final = Encoder(
    "libx264",
    (
        ("preset", "veryfast"),
        ("crf", 18),
        ("x264-params", "deadzone-inter=6:deadzone-intra=6:no-dct-decimate=1"),
    ),
)

# In the order of trial; the last one of a row is there in every build that imageio-ffmpeg ships.
_ENCODERS: Final[dict[Codec, tuple[Encoder, ...]]] = {
    "h264": (
        Encoder("h264_nvenc", (("preset", "p5"), ("rc", "vbr"), ("cq", 19), ("b:v", 0), ("forced-idr", 1))),
        X264,
    ),
    "av1": (
        Encoder("av1_nvenc", (("preset", "p5"), ("rc", "vbr"), ("cq", 24), ("b:v", 0), ("forced-idr", 1))),
        Encoder("libsvtav1", (("preset", 8), ("crf", 24))),
    ),
}


def choose(codec: Codec) -> Encoder:
    """The first encoder whose trial works, found once in a process. EngineError when there is none."""
    return _choose(codec, get_ffmpeg_exe())


@cache
def _choose(codec: Codec, executable: str) -> Encoder:
    for encoder in _ENCODERS[codec]:
        if encoder.name == "libx264" or _trial(encoder, executable):
            return encoder
    raise EngineError(f"This ffmpeg has no encoder for {codec} that works.")


def _trial(encoder: Encoder, executable: str) -> bool:
    """Encode five grey frames: a build may list an encoder for which this machine has no card or no driver."""
    options = [
        text for key, value in encoder.options(24).items() for text in (f"-{_FLAG.get(key, key)}", str(value))
    ]
    source = ("-f", "lavfi", "-i", "color=gray:size=256x256:rate=24", "-frames:v", "5")
    try:
        done = subprocess.run(
            [executable, "-hide_banner", "-nostdin", *source, *options, "-f", "null", "-"],
            capture_output=True,
            timeout=_LONGEST_TRIAL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


_FLAG: Final = {"vcodec": "codec:v"}

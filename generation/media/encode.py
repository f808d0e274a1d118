"""One ffmpeg process from native frames to every file: stretch in time, scale, mark, encode, poster.

Frames are stretched at the model's own size, where motion estimation is cheap, and scaled afterwards.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import ffmpeg
from imageio_ffmpeg import get_ffmpeg_exe

from generation.errors import RenderCancelled, Transient
from generation.spec import Cancelled, Image

_CRF = 18
_GOP_SECONDS = 2
_POLL = 0.05  # seconds
_LONGEST = 1800.0  # seconds; an encode that takes longer hangs
_BT709 = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709", "color_range": "tv"}


def encode(
    images: Iterable[Image],
    *,
    native: tuple[int, int],
    native_count: int,
    size: tuple[int, int],
    seconds: int,
    fps: int,
    mark: Path,
    margin: int,
    mp4: Path,
    poster: Path,
    cancelled: Cancelled,
) -> None:
    """Write `mp4` (H.264, yuv420p, bt709, closed GOPs of 2 s, faststart) and `poster` (JPEG of the middle frame).

    `native` and `size` are (width, height). The first native frame is the first delivered one, the last the last.
    Raises Transient when ffmpeg dies or the disk is full, RenderCancelled when it was stopped.
    """
    command = _graph(native, native_count, size, seconds, fps, mark, margin, mp4, poster)
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            command.compile(cmd=get_ffmpeg_exe(), overwrite_output=True),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
        with ThreadPoolExecutor(1, thread_name_prefix="feed-ffmpeg") as pool:
            # Beside the watch, so that a process that stops reading can be stopped too.
            feeding = pool.submit(_feed, process, images)
            try:
                _wait(process, cancelled)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        feeding.result()
        if process.returncode:
            raise Transient(f"ffmpeg ended with {process.returncode}: {_tail(complaints)}")


def _graph(
    native: tuple[int, int],
    native_count: int,
    size: tuple[int, int],
    seconds: int,
    fps: int,
    mark: Path,
    margin: int,
    mp4: Path,
    poster: Path,
) -> Any:
    frames = seconds * fps
    rate = f"{(native_count - 1) * fps}/{frames - 1}" if native_count > 1 else str(fps)
    pictures = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", video_size=native, framerate=rate)
    if native_count != frames:
        # Interpolation looks ahead: without more frames after the last one it would drop the end.
        pictures = pictures.filter("tpad", stop=4, stop_mode="clone")
        pictures = pictures.filter(
            "minterpolate", fps=fps, mi_mode="mci", mc_mode="aobmc", me_mode="bidir", vsbmc=1, scd="none"
        )
    pictures = (
        pictures.filter("tpad", stop=-1, stop_mode="clone")
        .filter("trim", end_frame=frames)
        .filter(
            "scale",
            *size,
            force_original_aspect_ratio="increase",
            flags="bicubic+accurate_rnd+full_chroma_int",
            out_color_matrix="bt709",
            out_range="tv",
        )
        .filter("crop", *size)
        .filter("setsar", 1)
        .filter("format", "yuv420p")
        # The encoder writes what the frames say of themselves; options of the output alone are not enough.
        .filter("setparams", **{k: v for k, v in _BT709.items() if k != "color_range"}, range="tv")
        .overlay(ffmpeg.input(str(mark)), x=margin, y=f"main_h-overlay_h-{margin}", eof_action="repeat")
        .filter_multi_output("split")
    )
    clip = ffmpeg.output(
        pictures[0],
        str(mp4),
        vcodec="libx264",
        preset="veryfast",
        crf=_CRF,
        pix_fmt="yuv420p",
        r=fps,
        g=_GOP_SECONDS * fps,
        movflags="+faststart",
        **{"frames:v": frames, "flags": "+cgop"},
        **_BT709,
    )
    still = ffmpeg.output(
        # JPEG is full range and, by JFIF, of the older matrix.
        pictures[1]
        .filter("select", f"eq(n,{frames // 2})")
        .filter("scale", in_color_matrix="bt709", out_color_matrix="bt601", in_range="tv", out_range="pc")
        .filter("format", "yuvj420p"),
        str(poster),
        vcodec="mjpeg",
        **{"frames:v": 1, "q:v": 3, "update": 1},
    )
    return ffmpeg.merge_outputs(clip, still).global_args(
        "-hide_banner", "-nostats", "-loglevel", "error", "-y"
    )


def _feed(process: subprocess.Popen[bytes], images: Iterable[Image]) -> None:
    """Hands over all images. When ffmpeg ends early, its own words say why, and are read by the caller."""
    if process.stdin is None:
        raise Transient("ffmpeg has no input")
    with suppress(BrokenPipeError):
        try:
            for image in images:
                process.stdin.write(image.tobytes())
        finally:
            process.stdin.close()


def _wait(process: subprocess.Popen[bytes], cancelled: Cancelled) -> None:
    deadline = time.monotonic() + _LONGEST
    while process.poll() is None:
        if cancelled():
            raise RenderCancelled
        if time.monotonic() > deadline:
            raise Transient("ffmpeg did not come to an end")
        time.sleep(_POLL)


def _tail(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    return complaints.read()[-600:].decode(errors="replace").strip()

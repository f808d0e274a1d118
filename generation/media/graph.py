"""The filters and outputs of the two ffmpeg runs of one encode pass, which meet at delivered frames.

The first brings native frames to the delivered rate and size and keeps them without loss. The second writes everything
that is handed out. Between the two every frame is whole, raw and yuv420p, and is marked by Python on its way.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import ffmpeg

from generation.media import codecs
from generation.media.plan import Grid, Plan, Size, sheet, sprite
from generation.media.vtt import SPRITE_NAME
from generation.spec import FileKind

# Everything is read and written in the folder that ffmpeg runs in, under these names.
NAMES: Final[dict[FileKind, str]] = {
    "mp4": "clip.mp4",
    "poster": "poster.jpg",
    "sprite": SPRITE_NAME,
    "sheet": "sheet.jpg",
    "source": "source.mkv",
}
PLATES: Final = {"sprite": "sprite.rgba", "sheet": "sheet.rgba"}

_SCALE: Final = "lanczos+accurate_rnd+full_chroma_int"
_SMALL: Final = 200_000  # pixels: below, a second thread costs more than it brings
_SHEET_GROUND: Final = "0x141414"
_RAW: Final = {"pix_fmt": "yuv420p"}
# The encoder writes what the frames say of themselves; options of the output alone are not enough.
_TAGS: Final = {"range": "tv"} | {key: codecs.BT709[key] for key in codecs.BT709 if key != "color_range"}
_JPEG: Final = {"vcodec": "mjpeg", "frames:v": 1, "q:v": 3, "update": 1}


@lru_cache(maxsize=64)
def stretching(plan: Plan, *, source: bool = True) -> tuple[str, ...]:
    """What the first ffmpeg is told: native rgb24 frames come in, delivered ones go out, the source is written if it
    is wanted."""
    native = ffmpeg.input(
        "pipe:0", format="rawvideo", pix_fmt="rgb24", video_size=plan.native, framerate=plan.native_rate
    )
    delivered = ffmpeg.output(
        stretched(native, plan), "pipe:1", format="rawvideo", **_RAW, **{"frames:v": plan.frames}
    )
    return compiled((delivered, _source(native, plan)) if source else (delivered,), plan)


@lru_cache(maxsize=64)
def writing(plan: Plan, plates: tuple[tuple[Size, Size], ...], poster: int) -> tuple[str, ...]:
    """What the second is told: delivered frames come in, every file is written, the clip first, for progress is that
    of the first. `plates` are size and place of the mark on a sprite's cell and on a sheet's; `poster` is a frame."""
    chosen = outputs(plan, plates, poster).values()
    return compiled(chosen, plan, "-progress", "pipe:1", "-stats_period", "0.25")


def outputs(plan: Plan, plates: tuple[tuple[Size, Size], ...], poster: int) -> dict[FileKind, Any]:
    """Every file that the second ffmpeg writes, from raw delivered frames."""
    delivered = ffmpeg.input(
        "pipe:0", format="rawvideo", video_size=plan.size, framerate=plan.fps, **_RAW
    ).video.filter("setparams", **_TAGS)
    return files(delivered, plan, plates, poster)


def compiled(chosen: Iterable[Any], plan: Plan, *more: str) -> tuple[str, ...]:
    """ffmpeg's arguments for those outputs."""
    few = ("-filter_complex_threads", "1") if _small(plan.size) else ()
    run = ffmpeg.merge_outputs(*chosen).global_args(
        *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"), *more, *few
    )
    return tuple(run.get_args(overwrite_output=True))


def stretched(native: Any, plan: Plan) -> Any:
    """Native frames, interpolated at their own size, then scaled and cropped: raw yuv420p, bt709, limited range."""
    pictures = native
    if plan.stretched:
        # Interpolation looks ahead: without more frames after the last one it would drop the end. Motion is searched
        # from the new frame into both neighbours (bilateral): as near to the truth as searching between the
        # neighbours, at half the time. Smaller blocks than the default 16 tear moving subjects.
        pictures = (
            pictures.filter("scale", out_color_matrix="bt709", out_range="tv", flags="accurate_rnd")
            .filter("format", "yuv444p")
            .filter("tpad", stop=4, stop_mode="clone")
            .filter("minterpolate", fps=plan.fps, mi_mode="mci", mc_mode="obmc", me_mode="bilat", scd="none")
        )
    return (
        pictures.filter("tpad", stop=-1, stop_mode="clone")
        .filter("trim", end_frame=plan.frames)
        .filter(
            "scale",
            *plan.size,
            force_original_aspect_ratio="increase",
            flags=_SCALE,
            out_color_matrix="bt709",
            out_range="tv",
        )
        .filter("crop", *plan.size)
        .filter("setsar", 1)
        .filter("format", "yuv420p")
    )


def files(
    delivered: Any, plan: Plan, plates: tuple[tuple[Size, Size], ...], poster: int
) -> dict[FileKind, Any]:
    """The clip and every picture of it; small ones get a mark of their own size, so that it can be read there."""
    of_sprite, of_sheet = (
        _plate(name, size) for name, (size, _) in zip(PLATES.values(), plates, strict=True)
    )
    on_sprite, on_sheet = (place for _, place in plates)
    split = delivered.filter_multi_output("split", 4)
    clip = ffmpeg.output(
        split[0],
        NAMES["mp4"],
        r=plan.fps,
        movflags="+faststart",
        **{"frames:v": plan.frames},
        **_threads(plan.size),
        **codecs.choose(plan.codec).options(plan.fps),
    )
    still = split[1].filter("select", f"eq(n,{poster})")
    return {
        "mp4": clip,
        "poster": ffmpeg.output(_full_range(still), NAMES["poster"], **_JPEG, **_threads(plan.size)),
        "sprite": _grid(split[2], of_sprite, on_sprite, sprite(plan), NAMES["sprite"]),
        "sheet": _grid(split[3], of_sheet, on_sheet, sheet(plan), NAMES["sheet"]),
    }


def _grid(frames: Any, plate: Any, place: Size, grid: Grid, name: str) -> Any:
    chosen = frames.filter("select", "+".join(f"eq(n,{pick})" for pick in grid.picks))
    tiled = (
        _full_range(chosen, grid.cell)
        .overlay(plate, x=place[0], y=place[1], eof_action="repeat")
        # Without a number of frames: only a grid that ends before it is full has its last row painted.
        .filter(
            "tile",
            layout=f"{grid.columns}x{grid.rows}",
            margin=grid.gap,
            padding=grid.gap,
            color=_SHEET_GROUND,
        )
    )
    return ffmpeg.output(tiled, name, **_JPEG, **_threads(grid.size))


def _full_range(frames: Any, size: Size | None = None) -> Any:
    """JPEG is full range and, by JFIF, of the older matrix."""
    colours = {"in_color_matrix": "bt709", "out_color_matrix": "bt601", "in_range": "tv", "out_range": "pc"}
    return frames.filter("scale", *(size or ()), flags="bicubic+accurate_rnd", **colours).filter(
        "format", "yuvj420p"
    )


def _plate(name: str, size: Size) -> Any:
    return ffmpeg.input(name, format="rawvideo", pix_fmt="rgba", video_size=size)


def _source(native: Any, plan: Plan) -> Any:
    """The native frames without loss, in FFV1: of what ffmpeg has, the smallest for pictures with grain.

    Every frame is a key frame with checksums, so that one can be taken out and damage is found.
    """
    lossless = {"vcodec": "ffv1", "level": 3, "coder": "range_def", "g": 1, "slicecrc": 1, "pix_fmt": "bgr0"}
    return ffmpeg.output(
        native.video,  # named: left to itself ffmpeg takes the largest of its inputs, which may be a plate
        NAMES["source"],
        fflags="+bitexact",
        fps_mode="passthrough",
        **lossless,
        **_threads(plan.native),
    )


def _threads(size: Size) -> dict[str, int]:
    return {"threads": 1} if _small(size) else {}


def _small(size: Size) -> bool:
    return size[0] * size[1] < _SMALL

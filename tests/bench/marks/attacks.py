"""What is done to a marked clip: by platforms, by people, and by somebody who wants to be rid of the mark."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import av
import cv2
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray

Group = Literal["ordinary", "hard", "geometry", "social", "trim", "estimate", "collusion"]
_LONGEST: Final = 300.0  # seconds
_EVEN: Final = ",scale=trunc(iw/2)*2:trunc(ih/2)*2"
_X264: Final = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-crf")
_SOCIAL: Final = "crop=iw*.95:ih*.95,scale='if(gt(iw,ih),-2,720)':'if(gt(iw,ih),720,-2)',fps=24"
_UPRIGHT: Final = "crop='trunc(min(iw,ih*9/16)/2)*2':ih,scale=720:-2"


@dataclass(frozen=True, slots=True)
class Given:
    """The copies, of which the first is the one to be named, another clip, and where to write."""

    copies: Sequence[Path]
    other: Path
    folder: Path
    width: int
    height: int
    fps: float

    @property
    def out(self) -> Path:
        return self.folder / "treated.mkv"


@dataclass(frozen=True, slots=True)
class Attack:
    name: str
    group: Group
    apply: Callable[[Given], Path]
    copies: int = 1


def _ffmpeg(*arguments: object) -> None:
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=_LONGEST)


def _x264(crf: int) -> tuple[str, ...]:
    return (*_X264, str(crf), "-threads", "1")


def _filtered(
    name: str, group: Group, graph: str, encoder: Sequence[object] = _x264(26), suffix: str = ".mkv"
) -> Attack:
    """`{h}` stands for the shorter side, `{fps}` for the clip's rate."""

    def apply(given: Given) -> Path:
        out = given.out.with_suffix(suffix)
        chain = graph.format(h=min(given.width, given.height), fps=given.fps)
        _ffmpeg("-i", given.copies[0], "-filter_complex", chain, "-an", *encoder, out)
        return out

    return Attack(name, group, apply)


def _lines(number: int) -> str:
    return f"scale='if(gt(iw,ih),-2,{number})':'if(gt(iw,ih),{number},-2)'"


def _still(kind: str, quality: int = 0, wide: int = 0) -> Callable[[Given], Path]:
    def apply(given: Given) -> Path:
        png, out = given.folder / "still.png", given.folder / f"still2.{kind}"
        _ffmpeg("-ss", "1.3", "-i", given.copies[0], "-frames:v", 1, png)
        image = cv2.imread(str(png))
        assert image is not None
        if wide and image.shape[1] > wide:
            share = wide / image.shape[1]
            image = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(out), image, [cv2.IMWRITE_JPEG_QUALITY, quality] if quality else [])
        return out

    return apply


def _lettered(given: Given) -> Path:
    plate = np.zeros((given.height, given.width, 4), np.uint8)
    at = (int(given.width * 0.08), int(given.height * 0.85))
    cv2.putText(
        plate, "seen first @here", at, cv2.FONT_HERSHEY_DUPLEX, given.width / 640, (255,) * 4, 3, cv2.LINE_AA
    )
    middle = (int(given.width * 0.88), int(given.height * 0.14))
    cv2.circle(plate, middle, min(given.width, given.height) // 10, (40, 40, 230, 255), -1)
    cv2.imwrite(str(given.folder / "plate.png"), plate)
    _ffmpeg(
        "-i",
        given.copies[0],
        "-i",
        given.folder / "plate.png",
        "-filter_complex",
        "overlay",
        *_x264(26),
        given.out,
    )
    return given.out


def _inside(given: Given) -> Path:
    chain = (
        f"[1]scale={given.width}:{given.height},setsar=1,setpts=PTS-STARTPTS[ground];"
        "[0]scale=trunc(iw/4)*2:trunc(ih/4)*2[small];[ground][small]overlay=W*.45:H*.4:shortest=1"
    )
    _ffmpeg(
        "-i",
        given.copies[0],
        "-stream_loop",
        -1,
        "-i",
        given.other,
        "-filter_complex",
        chain,
        *_x264(26),
        given.out,
    )
    return given.out


def _on_a_phone(given: Given) -> Path:
    """A page on a phone, recorded: the clip as wide as the screen, letters above, an empty page below."""
    chain = (
        "scale=780:-2,pad=780:1688:0:420:color=0xf4f2ee,drawbox=x=40:y=120:w=420:h=44:color=0x222222:t=fill,"
        "drawbox=x=40:y=200:w=620:h=20:color=0x888888:t=fill,drawbox=x=40:y=1300:w=700:h=20:color=0x888888:t=fill,fps=30"
    )
    _ffmpeg("-i", given.copies[0], "-filter_complex", chain, *_x264(26), given.out)
    return given.out


def _mixed(count: int, crf: int) -> Callable[[Given], Path]:
    def apply(given: Given) -> Path:
        inputs = [part for copy in given.copies[:count] for part in ("-i", copy)]
        _ffmpeg(*inputs, "-filter_complex", f"mix=inputs={count}", *_x264(crf), given.out)
        return given.out

    return apply


def _estimated(gain: float, window: float | None) -> Callable[[Given], Path]:
    """Without the key: what stays while the picture moves is taken for the mark and taken away, over the whole clip
    or in each of its half seconds, which a real attacker would have to guess."""

    def apply(given: Given) -> Path:
        planes = _planes(given.copies[0], given.height)
        each = len(planes) if window is None else round(window * given.fps)
        size = f"{given.width}x{given.height}"
        raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", size, "-r", given.fps, "-i", "-")
        command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", *map(str, raw), *_x264(23), str(given.out)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            for first in range(0, len(planes), each):
                part = planes[first : first + each]
                guess = np.clip(sum(_fine(plane, given.height) for plane in part) / len(part), -3, 3) * gain
                for plane in part:
                    process.stdin.write(np.clip(plane - guess + 0.5, 0, 255).astype(np.uint8).tobytes())
        assert process.returncode == 0
        return given.out

    return apply


def _planes(path: Path, height: int) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8)[:height] for frame in frames]


def _fine(plane: NDArray[np.uint8], height: int) -> NDArray[np.float32]:
    luma = plane.astype(np.float32)
    return np.asarray(luma - cv2.GaussianBlur(luma, (0, 0), height / 120), np.float32)


_HEVC: Final = (
    "-c:v",
    "libx265",
    "-preset",
    "superfast",
    "-x265-params",
    "log-level=error:pools=1",
    "-crf",
    "28",
)
_VP9: Final = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", 8, "-b:v", 0, "-crf", 38)
_AV1: Final = ("-c:v", "libsvtav1", "-preset", 11, "-crf", 40)
_GIF: Final = "fps=12,scale='min(480,iw)':-2,split[a][b];[a]palettegen[p];[b][p]paletteuse"
_TRIM: Final = "trim=0.7:2.7,setpts=PTS-STARTPTS"

ATTACKS: Final = (
    Attack("none", "ordinary", lambda given: given.copies[0]),
    *(
        _filtered(f"x264 crf {crf}", "ordinary" if crf < 30 else "hard", "null", _x264(crf))
        for crf in (23, 28, 33)
    ),
    *(
        _filtered(f"{lines} lines", "ordinary" if lines > 400 else "hard", _lines(lines))
        for lines in (720, 480, 360)
    ),
    _filtered("HEVC crf 28", "hard", "null", _HEVC),
    _filtered("VP9 crf 38", "ordinary", "null", _VP9, ".webm"),
    _filtered("AV1 crf 40", "ordinary", "null", _AV1),
    _filtered("rate x 0.8", "ordinary", "fps={fps}*0.8"),
    _filtered("15 a second", "ordinary", "fps=15"),
    _filtered("speed +25 %", "ordinary", "setpts=PTS/1.25,fps={fps}"),
    _filtered("speed -25 %", "ordinary", "setpts=PTS/0.75,fps={fps}"),
    _filtered("2 s of it", "ordinary", _TRIM),
    _filtered("mirror", "ordinary", "hflip"),
    _filtered("crop 10 %", "ordinary", "crop=iw*.9:ih*.9:iw*.03:ih*.08" + _EVEN),
    _filtered(
        "crop 10 %, back to size", "ordinary", "crop=iw*.9:ih*.9:iw*.07:ih*.02,scale=iw/.9:ih/.9" + _EVEN
    ),
    _filtered("crop 30 %", "ordinary", "crop=iw*.7:ih*.7:iw*.2:ih*.1" + _EVEN),
    _filtered("9:16 from the middle", "ordinary", "crop='min(iw,ih*9/16)':ih" + _EVEN),
    _filtered("square from the middle", "ordinary", "crop='min(iw,ih)':'min(iw,ih)'" + _EVEN),
    _filtered("letterbox in 9:16", "ordinary", "pad=iw:'max(ih,iw*16/9)':0:(oh-ih)/2" + _EVEN),
    _filtered("turned 1 degree", "ordinary", "rotate=PI/180"),
    _filtered("turned 2 degrees, cropped", "ordinary", "rotate=-2*PI/180,crop=iw*.92:ih*.92" + _EVEN),
    _filtered("brightness, contrast, colour", "ordinary", "eq=brightness=.07:contrast=1.25:saturation=1.4"),
    _filtered("gamma 1.5", "ordinary", "eq=gamma=1.5"),
    _filtered("contrast 0.6", "ordinary", "eq=contrast=.6"),
    _filtered("grey", "ordinary", "hue=s=0"),
    _filtered("blur", "ordinary", "gblur=sigma={h}/360"),
    _filtered("sharpen", "ordinary", "unsharp=7:7:1.5"),
    _filtered("noise", "ordinary", "noise=alls=14:allf=t", _x264(28)),
    _filtered("denoise", "ordinary", "hqdn3d=6:5:8:8"),
    Attack("letters and a logo", "ordinary", _lettered),
    Attack("still, PNG", "ordinary", _still("png")),
    Attack("still, JPEG 75", "ordinary", _still("jpg", 75)),
    Attack("still, 900 wide, JPEG 70", "ordinary", _still("jpg", 70, 900)),
    _filtered("GIF, 480 wide", "ordinary", _GIF, (), ".gif"),
    _filtered("16:9 to 4:3", "ordinary", "scale=iw*.75:ih" + _EVEN),
    _filtered(
        "mirror, crop 8 %, 480, crf 30",
        "ordinary",
        f"hflip,crop=iw*.92:ih*.92,{_lines(480)},eq=brightness=.05",
        _x264(30),
    ),
    Attack("recorded from a phone's screen", "ordinary", _on_a_phone),
    _filtered("stretch 4 %", "geometry", "scale=iw*.96:ih" + _EVEN),
    _filtered(
        "perspective", "geometry", "perspective=W*.03:H*.02:W*.97:0:0:H*.98:W:H,gblur=1,noise=alls=8:allf=t"
    ),
    Attack("picture in picture", "geometry", _inside),
    _filtered("social: crop 5 %, 720, crf 30", "social", _SOCIAL, _x264(30)),
    _filtered("social: 9:16, crf 30", "social", _UPRIGHT, _x264(30)),
    _filtered("2 s of the first", "trim", f"{_TRIM},{_SOCIAL}", _x264(30)),
    _filtered("2 s of the second", "trim", f"{_TRIM},{_UPRIGHT}", _x264(30)),
    *(Attack(f"estimate x {gain}", "estimate", _estimated(gain, None)) for gain in (1.0, 1.6)),
    *(
        Attack(f"estimate x {gain}, each half second", "estimate", _estimated(gain, 0.5))
        for gain in (1.0, 1.6)
    ),
    Attack("2 copies averaged", "collusion", _mixed(2, 23), copies=2),
    Attack("4 copies averaged", "collusion", _mixed(4, 23), copies=4),
    Attack("4 copies averaged, crf 30", "collusion", _mixed(4, 30), copies=4),
)

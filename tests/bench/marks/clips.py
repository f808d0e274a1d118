"""The clips that are marked and treated: of the built-in model, of photographs and real video, and drawn ones.

Each is a recipe with a seed: the same frames every time. Luma only, for the mark lives in it.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.bench.marks import model, sources

Motion = Literal["still", "pan", "fast", "zoom", "shake"]
Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Clip:
    """`shots` are names of pictures, videos, prompts or drawings; several follow each other with hard cuts."""

    name: str
    kind: Literal["model", "natural", "drawn"]
    width: int
    height: int
    fps: int
    seconds: float
    shots: tuple[str, ...]
    motion: Motion = "pan"

    @property
    def tuned(self) -> bool:
        return any(shot in sources.TUNED for shot in self.shots)

    @property
    def frames(self) -> int:
        return round(self.seconds * self.fps)

    def lumas(self) -> Iterator[Luma]:
        """height x width, one after the other."""
        each = math.ceil(self.frames / len(self.shots))
        for number, shot in enumerate(self.shots):
            first = number * each
            makes = MAKERS[self.kind](self, shot)
            for index in range(min(each, self.frames - first)):
                yield makes(index)


def _natural(clip: Clip, shot: str) -> Callable[[int], Luma]:
    if shot in sources.VIDEOS:
        planes = sources.video(shot)
        there_and_back = [*planes, *planes[-2:0:-1]]
        return lambda index: _cover(there_and_back[index % len(there_and_back)], clip)
    return _moved(clip, sources.photograph(shot), shot)


def _moved(clip: Clip, picture: Luma, shot: str) -> Callable[[int], Luma]:
    """A camera over a photograph: by parts of pixels, as a real one moves."""
    room = 1.35 if clip.motion == "fast" else 1.15
    share = max(clip.width / picture.shape[1], clip.height / picture.shape[0]) * room
    kind = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    ground = cv2.resize(picture, None, fx=share, fy=share, interpolation=kind)
    chance = np.random.default_rng(zlib.crc32(f"{clip.name} {shot}".encode()))
    angle = chance.uniform(0, 2 * math.pi)
    middle = np.array([ground.shape[1] / 2, ground.shape[0] / 2])
    most = (middle - np.array([clip.width / 2, clip.height / 2])) * 0.95
    shakes = cv2.GaussianBlur(chance.normal(0, 1, (clip.frames + 1, 2)), (1, 31), 4) * 14

    def frame(index: int) -> Luma:
        done = index / max(1, clip.frames - 1)
        zoom, offset = 1.0, np.zeros(2)
        if clip.motion in ("pan", "fast"):
            offset = np.array([math.cos(angle), math.sin(angle)]) * most * (2 * done - 1)
        if clip.motion == "zoom":
            zoom = 1 + 0.12 * done
        if clip.motion == "shake":
            offset = np.clip(shakes[index], -most, most)
        corner = middle + offset - np.array([clip.width, clip.height]) / 2 / zoom
        matrix = np.array([[1 / zoom, 0, corner[0]], [0, 1 / zoom, corner[1]]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        size = (clip.width, clip.height)
        return np.asarray(
            cv2.warpAffine(ground, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT), np.uint8
        )

    return frame


def _cover(plane: Luma, clip: Clip) -> Luma:
    share = max(clip.width / plane.shape[1], clip.height / plane.shape[0])
    size = (math.ceil(plane.shape[1] * share), math.ceil(plane.shape[0] * share))
    larger = cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC)
    top, left = (larger.shape[0] - clip.height) // 2, (larger.shape[1] - clip.width) // 2
    return np.ascontiguousarray(larger[top : top + clip.height, left : left + clip.width], np.uint8)


def _drawn(clip: Clip, shot: str) -> Callable[[int], Luma]:
    width, height = clip.width, clip.height
    down, right = np.mgrid[0:height, 0:width].astype(np.float32)
    chance = np.random.default_rng(zlib.crc32(shot.encode()))

    def cartoon(index: int) -> NDArray[Any]:
        at = index / clip.fps
        frame = np.full((height, width), 190, np.uint8)
        frame[int(height * 0.65) :] = 110
        for ball in range(6):
            x = int((width * (0.1 + 0.17 * ball) + width / 20 * at * (1 if ball % 2 else -1)) % width)
            y = int(height * (0.35 + 0.06 * ball) + 20 * math.sin(3 * at + ball))
            cv2.circle(frame, (x, y), height // 9, 40 + 32 * ball, -1, cv2.LINE_AA)
            cv2.circle(frame, (x, y), height // 9, 20, 5, cv2.LINE_AA)
        return frame

    def gradient(index: int) -> NDArray[Any]:
        at = index / clip.fps
        return np.asarray(
            128 + 60 * np.sin(right / width * 4 + at) + 30 * np.cos(down / height * 3 - at * 0.7)
        )

    grain = chance.normal(0, 2, (5, height, width)).astype(np.float32)

    def dark(index: int) -> NDArray[Any]:
        at = index / clip.fps
        x, y = width * (0.5 + 0.2 * math.sin(at)), height * (0.5 + 0.1 * math.cos(1.3 * at))
        light = 90 * np.exp(-((right - x) ** 2 + (down - y) ** 2) / (2 * (height * 0.12) ** 2))
        return np.asarray(20 + light + grain[index % 5])

    makers: dict[str, Callable[[int], NDArray[Any]]] = {
        "cartoon": cartoon,
        "gradient": gradient,
        "dark": dark,
    }
    return lambda index: np.clip(np.rint(makers[shot](index)), 0, 255).astype(np.uint8)


def _model(clip: Clip, shot: str) -> Callable[[int], Luma]:
    frames = model.frames(
        shot,
        seconds=max(1, math.ceil(clip.seconds / len(clip.shots))),
        fps=clip.fps,
        size=(clip.width, clip.height),
    )
    return lambda _index: next(frames)


MAKERS: Final = {"natural": _natural, "drawn": _drawn, "model": _model}
_W, _P = (1920, 1080), (1080, 1920)
_M, _N = (1280, 720), (720, 1280)
_S, _L, _T = (512, 512), (896, 512), (512, 896)
_PROMPTS: Final = json.loads(model.PROMPTS.read_text())


def _recipes() -> Iterator[Clip]:
    natural: list[tuple[tuple[int, int], int, float, tuple[str, ...], Motion]] = [
        (_W, 24, 3, ("motorcycle",), "pan"),
        (_M, 30, 3, ("hubble",), "zoom"),
        (_S, 24, 4, ("tissue",), "pan"),
        (_W, 25, 2, ("retina",), "shake"),
        (_L, 24, 3, ("camera",), "shake"),
        (_M, 24, 4, ("grass",), "pan"),
        (_W, 24, 2, ("gravel",), "fast"),
        (_S, 30, 3, ("brick",), "zoom"),
        (_M, 25, 3, ("moon",), "still"),
        (_T, 24, 3, ("coins",), "pan"),
        (_S, 24, 4, ("astronaut",), "pan"),
        (_M, 24, 3, ("coffee",), "zoom"),
        (_L, 25, 3, ("chelsea",), "shake"),
        (_W, 30, 2, ("rocket",), "pan"),
        (_W, 24, 3, ("china",), "pan"),
        (_N, 24, 3, ("flower",), "zoom"),
        (_M, 24, 4, ("store",), "fast"),
        (_P, 24, 2, ("hopper",), "pan"),
        (_M, 24, 5, ("bunny",), "still"),
        (_L, 25, 5, ("bikes",), "still"),
        (_S, 30, 4, ("carphone",), "still"),
        (_W, 24, 6, ("china", "motorcycle", "flower"), "pan"),
        (_M, 25, 8, ("store", "camera", "hubble", "grass"), "shake"),
        (_S, 24, 6, ("flower", "tissue", "hopper"), "zoom"),
        (_W, 24, 10, ("retina", "china", "moon", "bunny"), "pan"),
    ]
    for size, fps, seconds, shots, motion in natural:
        yield Clip(
            f"{'+'.join(shots)} {motion} {size[0]}x{size[1]}", "natural", *size, fps, seconds, shots, motion
        )
    sizes = [_W, _M, _L, _L, _W, _M, _M, _L, _W, _L, _M, _L]  # the model fills wide pictures alone
    for number, (prompt, size) in enumerate(zip(_PROMPTS, sizes, strict=False)):
        yield Clip(
            f"model {number} {size[0]}x{size[1]}", "model", *size, 24, (2, 3, 4)[number % 3], (prompt,)
        )
    joined: list[tuple[tuple[int, int], float, int]] = [(_W, 8, 0), (_M, 6, 2), (_L, 6, 4), (_M, 10, 6)]
    for size, seconds, first in joined:
        shots = tuple(_PROMPTS[first : first + 3])
        yield Clip(f"model {first}-{first + 2} {size[0]}x{size[1]}", "model", *size, 24, seconds, shots)
    for shot, size in (("cartoon", _W), ("cartoon", _S), ("gradient", _M), ("dark", _M)):
        yield Clip(f"{shot} {size[0]}x{size[1]}", "drawn", *size, 24, 3, (shot,))


CLIPS: Final = tuple(_recipes())

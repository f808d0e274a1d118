"""One clip: marked, delivered, treated, read. A line for each treatment."""

from __future__ import annotations

import math
import subprocess
import time
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray

from generation.errors import SpecRejected
from generation.forensic.code import code_of, words_of
from generation.forensic.embed import Embedder
from generation.forensic.frames import sampled
from generation.forensic.trace import Issued, trace
from generation.media.codecs import X264
from tests.bench.marks import sources
from tests.bench.marks.attacks import ATTACKS, Attack, Given
from tests.bench.marks.clips import CLIPS, Clip, Luma

KEY: Final = bytes(range(32))
NUMBERS: Final = 100_000


@cache
def issued() -> Issued:
    """100,000 numbers, the same in every run; their codewords are kept."""
    numbers = np.random.default_rng(7).choice(2**32, NUMBERS, replace=False).astype(np.int64)
    path = sources.CACHE / "words.npy"
    if not path.exists():
        code = code_of(KEY)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, words_of(code.codeword(int(number)) for number in numbers))
    return Issued("bench", KEY, numbers, np.load(path))


def measured(clip: Clip, names: Sequence[str], folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of one clip; its copies carry the numbers that belong to its name."""
    cv2.setNumThreads(1)
    attacks = [attack for attack in ATTACKS if attack.name in names]
    first = zlib.crc32(clip.name.encode()) % (NUMBERS - 4)
    mine = [int(number) for number in issued().numbers[first : first + 4]]
    most = max([attack.copies for attack in attacks], default=1)
    made, quality = marked(clip, mine[:most], folder)
    if "quality" in names:
        yield {"clip": clip.name, "treatment": "quality", "kind": clip.kind, "tuned": clip.tuned, **quality}
    other = unmarked(CLIPS[(CLIPS.index(clip) + 7) % len(CLIPS)], folder)
    for attack in attacks:
        given = Given(made, other, folder, clip.width, clip.height, clip.fps)
        told = {"clip": clip.name, "kind": clip.kind, "tuned": clip.tuned}
        try:
            yield told | read(attack, given, mine)
        except (
            SpecRejected
        ) as refusal:  # a treatment that made no readable file: a fault of the bench, and shown
            yield told | {"treatment": attack.name, "refused": refusal.code}


def read(attack: Attack, given: Given, mine: Sequence[int]) -> dict[str, Any]:
    """What a trace finds after one treatment; `mine` are the numbers of the given copies."""
    treated = attack.apply(given)
    began, cpu = time.monotonic(), time.process_time()
    found = trace(sampled(treated), [issued()], controls=0)
    here = set(mine[: attack.copies])
    named = [one.number for one in found.named]
    return {
        "treatment": attack.name,
        "group": attack.group,
        "copies": attack.copies,
        "named": sum(number in here for number in named),
        "wrong": sum(number not in here for number in named),
        "z": round(found.best_z, 2),
        "each": [round(one.z, 2) for one in found.named],
        "stage": found.stage,
        "alignments": found.alignments,
        "cpu": round(time.process_time() - cpu, 2),
        "seconds": round(time.monotonic() - began, 2),
    }


def marked(
    clip: Clip, numbers: Sequence[int], folder: Path, key: bytes = KEY, gain: float = 1.0
) -> tuple[list[Path], dict[str, Any]]:
    """A delivered file for each number, and what is seen of the first one's mark before any encoder."""
    paths = [folder / f"copy{index}.mp4" for index in range(len(numbers))]
    size = {"width": clip.width, "height": clip.height}
    embedders = [
        Embedder(code_of(key), number, clip=clip.name, fps=clip.fps, gain=gain, **size) for number in numbers
    ]
    encoders = [_encoder(clip, path) for path in paths]
    errors, alike, largest = [], [], 0
    for index, luma in enumerate(clip.lumas()):
        for number, (embedder, encoder) in enumerate(zip(embedders, encoders, strict=True)):
            drawn = luma.copy()
            embedder.apply(drawn, index)
            if number == 0 and index % 9 == 0:
                change = drawn.astype(np.float32) - luma
                errors.append(float(np.square(change).mean()))
                alike.append(_ssim(luma, drawn))
                largest = max(largest, int(np.abs(change).max()))
            assert encoder.stdin is not None
            encoder.stdin.write(drawn.data)
    for encoder in encoders:
        assert encoder.stdin is not None
        encoder.stdin.close()
        assert encoder.wait() == 0
    psnr = 10 * math.log10(255**2 / float(np.mean(errors)))
    return paths, {"psnr": round(psnr, 2), "ssim": round(float(np.mean(alike)), 4), "largest": largest}


def unmarked(clip: Clip, folder: Path) -> Path:
    """A delivered file of the clip as it was made."""
    path = folder / "other.mp4"
    if not path.exists():
        encoder = _encoder(clip, path)
        assert encoder.stdin is not None
        for luma in clip.lumas():
            encoder.stdin.write(luma.tobytes())
        encoder.stdin.close()
        assert encoder.wait() == 0
    return path


def _encoder(clip: Clip, path: Path) -> subprocess.Popen[bytes]:
    size = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{clip.width}x{clip.height}", "-r", str(clip.fps))
    tags = ("-vf", "setparams=range=tv,format=yuv420p")
    named = ((f"-{name}", str(value)) for name, value in X264.options(clip.fps).items())
    options = ("-threads", "1", *chain.from_iterable(named))
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", *size, "-i", "-", *tags, *options, str(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def _ssim(one: Luma, other: Luma) -> float:
    """Wang et al. 2004: Gaussian windows of 11 pixels, sigma 1.5; mean over the picture."""
    a, b = one.astype(np.float32), other.astype(np.float32)

    def blur(image: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(image, (11, 11), 1.5), np.float32)

    mean_a, mean_b = blur(a), blur(b)
    spread_a, spread_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    both = blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    return float((top / ((mean_a**2 + mean_b**2 + c1) * (spread_a + spread_b + c2))).mean())

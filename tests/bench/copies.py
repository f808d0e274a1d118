"""How soon another recipient has their copy: encoded anew from the native frames, or joined from segments made in two
versions.

`python -m tests.bench.copies [--rounds N]`: ten seconds at 1920x1080, 24 a second, from native frames of 160x96 and of
full size. *Anew* is what a worker does: read the native frames, stretch, mark, encode, read back; the first byte comes
with the last, for a file is signed whole. *Joined* has two versions of each half second lying ready and takes one of
both by the bits of an id; a file of 10 s carries 20 bits so. Signing is the same for both and timed apart.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

from generation.credentials import chain, keys
from generation.credentials.manifest import Provenance
from generation.credentials.signer import Signer
from generation.media import encode, graph
from generation.media.plan import Plan
from generation.media.probe import source_frames
from generation.pipeline import copy
from tests.bench.encode import MARK, _cpu, _images
from tests.bench.measure import said, tell

PLANS: Final = {
    "native 160x96": Plan((160, 96), 80, (1920, 1080), 10, 24),
    "native 1920x1080": Plan((1920, 1080), 240, (1920, 1080), 10, 24),
}
_HALF: Final = 12  # frames of half a second


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.copies", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    cv2.setNumThreads(1)
    for name, plan in PLANS.items():
        with tempfile.TemporaryDirectory() as folder:
            _compared(name, plan, Path(folder), rounds)
    tell(f"\n{os.cpu_count()} processors, load {' '.join(f'{value:.1f}' for value in os.getloadavg())}")


def _compared(name: str, plan: Plan, folder: Path, rounds: int) -> None:
    digest = encode.encode(_images(plan), plan=plan, mark=MARK, folder=folder, cancelled=lambda: False)
    source, whole = folder / graph.NAMES["source"], folder / graph.NAMES["mp4"]
    tell(f"\n{name}: the native frames kept inside {_mb(source)}, the clip {_mb(whole)}")
    apart = folder / "apart"
    apart.mkdir()
    _timed("  anew", rounds, lambda: _anew(source, plan, digest, apart))
    began = _cpu()
    for version in "ab":
        _split(whole, folder, version)
    sizes = sum(part.stat().st_size for part in folder.glob("a*.ts"))
    tell(f"  two versions in half seconds: {_cpu() - began:.1f} CPU s once, 2 x {sizes / 1e6:.1f} MB kept")
    _timed("  joined", rounds, lambda: _join(folder))
    signer = _signer()
    _timed("  signed", rounds, lambda: _sign(signer, folder / "joined.mp4"))


def _anew(source: Path, plan: Plan, digest: str, folder: Path) -> None:
    copy(
        source_frames(source),
        plan=plan,
        frames_sha256=digest,
        mark=MARK,
        folder=folder,
        cancelled=lambda: False,
    )
    for left in folder.iterdir():
        left.unlink()


def _split(whole: Path, folder: Path, version: str) -> None:
    """Each half second by itself: a key frame every twelve frames."""
    gops = ("-g", _HALF, "-keyint_min", _HALF, "-sc_threshold", 0, "-flags", "+cgop", "-bf", 2)
    cut = ("-f", "segment", "-segment_frames", ",".join(str(at) for at in range(_HALF, 240, _HALF)))
    options = ("-c:v", "libx264", "-preset", "veryfast", "-crf", 18, *gops, *cut)
    _ffmpeg("-i", whole, *options, folder / f"{version}%03d.ts")


def _join(folder: Path) -> None:
    parts = sorted(folder.glob("a*.ts"))
    bits = np.random.default_rng(5).integers(0, 2, len(parts))
    chosen = [part.with_name("ab"[bit] + part.name[1:]) for part, bit in zip(parts, bits, strict=True)]
    listed = folder / "list.txt"
    listed.write_text("".join(f"file '{part.name}'\n" for part in chosen))
    _ffmpeg("-f", "concat", "-i", listed, "-c", "copy", "-movflags", "+faststart", folder / "joined.mp4")


def _sign(signer: Signer, path: Path) -> None:
    told = Provenance("A clip", "video/mp4", "model", "Turbo", "bench", mark_digest=bytes(32))
    signed = path.with_name("signed.mp4")
    signer.sign(path, signed, told)
    signed.unlink()


def _signer() -> Signer:
    made = chain.make(now=datetime.now(UTC))
    return Signer(made.certificates, keys.local_key(made.key))


def _ffmpeg(*arguments: object) -> None:
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=600)


def _timed(what: str, rounds: int, work: Callable[[], None]) -> None:
    seconds, cpu = [], []
    for _ in range(rounds):
        began, before = time.monotonic(), _cpu()
        work()
        seconds.append(time.monotonic() - began)
        cpu.append(_cpu() - before)
    tell(f"{what}: {said(seconds, digits=2)} s, {said(cpu, digits=2)} CPU s")


def _mb(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


if __name__ == "__main__":
    main()

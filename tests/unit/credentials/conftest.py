"""Small real files, one chain, and what is said about the files."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from generation.credentials import chain
from generation.credentials.chain import Chain
from generation.credentials.keys import local_key
from generation.credentials.manifest import Provenance
from generation.credentials.signer import Signer

SUFFIXES = {"video/mp4": ".mp4", "image/jpeg": ".jpg", "image/png": ".png"}


@pytest.fixture(scope="session")
def own_chain() -> Chain:
    return chain.make(now=datetime.now(UTC))


@pytest.fixture(scope="session")
def signer(own_chain: Chain) -> Signer:
    return Signer(own_chain.certificates, local_key(own_chain.key))


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of each kind that is signed, by media type. Nobody writes to them."""
    folder = tmp_path_factory.mktemp("originals")
    files = {kind: folder / f"original{suffix}" for kind, suffix in SUFFIXES.items()}
    picture = np.random.default_rng(7).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    Image.fromarray(picture).save(files["image/jpeg"], quality=90)
    Image.fromarray(picture).save(files["image/png"])
    source = ["-f", "lavfi", "-i", "testsrc2=size=128x96:rate=8:duration=1"]
    coding = ["-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-loglevel",
        "error",
        *source,
        *coding,
        str(files["video/mp4"]),
    ]
    subprocess.run(command, check=True)
    return files


@pytest.fixture
def say() -> Callable[..., Provenance]:
    """What is said about a file, with what a test wants said otherwise."""

    def made(media_type: str = "video/mp4", **changed: Any) -> Provenance:
        usual = {
            "title": "Harbour at dawn",
            "model": "example-video",
            "variant": "full-1",
            "software": "0.1.0",
            "mark_digest": bytes(range(32)),
        }
        return Provenance(media_type=media_type, **{**usual, **changed})

    return made


@pytest.fixture(scope="session")
def signed(
    signer: Signer, originals: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The originals with credentials. Nobody writes to them."""
    folder = tmp_path_factory.mktemp("signed")
    files = {}
    for kind, original in originals.items():
        files[kind] = folder / original.name
        said = Provenance(
            "Harbour at dawn", kind, "example-video", "full-1", "0.1.0", mark_digest=bytes(range(32))
        )
        signer.sign(original, files[kind], said)
    return files

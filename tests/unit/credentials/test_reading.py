"""Whatever somebody does to a signed file shows, or leaves nothing of the credentials."""

from __future__ import annotations

import random
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest
from PIL import Image

from generation.credentials.chain import Chain
from generation.credentials.reader import Reading, read

KINDS = ["video/mp4", "image/jpeg", "image/png"]
BROKEN = {"changed", "unreadable"}

ReadBytes = Callable[[bytes], Reading]


@pytest.fixture
def read_bytes(own_chain: Chain, tmp_path: Path) -> ReadBytes:
    def reading(content: bytes) -> Reading:
        (tmp_path / "file").write_bytes(content)
        return read(tmp_path / "file", own_chain.root)

    return reading


def box(content: bytes, wanted: bytes) -> tuple[int, int]:
    """Where the payload of an outermost MP4 box begins and ends."""
    at = 0
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        if name == wanted:
            return at + 8, at + size
        at += size
    raise AssertionError(f"no {wanted!r}")


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


@pytest.mark.parametrize("name", [b"moov", b"mdat"])
def test_any_flipped_bit_of_a_clip_shows(name: bytes, signed: dict[str, Path], read_bytes: ReadBytes) -> None:
    content = signed["video/mp4"].read_bytes()
    begin, end = box(content, name)
    for at in [begin, end - 1, *random.Random(3).sample(range(begin, end), 40)]:
        reading = read_bytes(flipped(content, at))
        assert reading.state in BROKEN, at
        if reading.state == "changed":
            assert "assertion.bmffHash.mismatch" in reading.failures


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png"])
def test_any_flipped_bit_of_a_picture_shows(
    kind: str, signed: dict[str, Path], originals: dict[str, Path], read_bytes: ReadBytes
) -> None:
    content = signed[kind].read_bytes()
    # The manifest stands near the beginning; what follows it is the picture.
    begin = len(content) - originals[kind].stat().st_size + 1024
    for at in [len(content) - 1, *random.Random(4).sample(range(begin, len(content)), 40)]:
        assert read_bytes(flipped(content, at)).state in BROKEN, at


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "said", [b"full-1", b"trainedAlgorithmicMedia", b"Harbour at dawn", b"0.1.0", b"forensic-mark"]
)
def test_any_changed_word_of_the_manifest_shows(
    kind: str, said: bytes, signed: dict[str, Path], read_bytes: ReadBytes
) -> None:
    content = signed[kind].read_bytes()
    assert said in content
    assert read_bytes(content.replace(said, b"X" * len(said), 1)).state in BROKEN


@pytest.mark.parametrize("kind", KINDS)
def test_appended_bytes_show(kind: str, signed: dict[str, Path], read_bytes: ReadBytes) -> None:
    content = signed[kind].read_bytes()
    for tail in (b"\0", b"tail", struct.pack(">I4s", 16, b"udta") + b"12345678", bytes(4096)):
        assert read_bytes(content + tail).state in BROKEN, tail[:8]


@pytest.mark.parametrize("kind", KINDS)
def test_truncation_shows_wherever_it_is(kind: str, signed: dict[str, Path], read_bytes: ReadBytes) -> None:
    content = signed[kind].read_bytes()
    lengths = random.Random(5).sample(range(16_000, len(content)), 20)
    for length in [len(content) - 1, len(content) - 1000, *lengths]:
        assert read_bytes(content[:length]).state in BROKEN, length
    for length in range(0, 16_000, 500):
        assert read_bytes(content[:length]).state in {*BROKEN, "none"}, length


def test_manifest_of_another_file_shows(
    signed: dict[str, Path], originals: dict[str, Path], read_bytes: ReadBytes
) -> None:
    """The credentials of one clip, put before the pictures of another."""
    content = signed["video/mp4"].read_bytes()
    begin, end = box(content, b"mdat")
    assert read_bytes(content[:begin] + bytes(end - begin) + content[end:]).state == "changed"


def test_what_the_hash_leaves_out(signed: dict[str, Path], read_bytes: ReadBytes) -> None:
    """The specification leaves `ftyp` and `free` out of a clip's hash: neither can hold a picture."""
    content = signed["video/mp4"].read_bytes()
    begin, _ = box(content, b"ftyp")
    assert read_bytes(content[: begin + 4] + b"\0\0\2\1" + content[begin + 8 :]).state == "trusted"
    assert read_bytes(content + struct.pack(">I4s", 16, b"free") + b"12345678").state == "trusted"


@pytest.mark.parametrize(
    "how",
    [
        ["-c", "copy"],
        ["-c", "copy", "-movflags", "+faststart"],
        ["-c", "copy", "-metadata", "title=Another"],
        ["-c:v", "libx264", "-preset", "ultrafast"],
    ],
)
def test_ffmpeg_leaves_no_credentials(
    how: list[str], signed: dict[str, Path], own_chain: Chain, tmp_path: Path
) -> None:
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(signed["video/mp4"])]
    subprocess.run([*ffmpeg, *how, str(tmp_path / "out.mp4")], check=True)
    assert read(tmp_path / "out.mp4", own_chain.root) == Reading("none")


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png"])
def test_picture_opened_and_saved_has_no_credentials(
    kind: str, signed: dict[str, Path], own_chain: Chain, tmp_path: Path
) -> None:
    with Image.open(signed[kind]) as picture:
        picture.save(tmp_path / f"out.{picture.format}", picture.format)
        assert read(tmp_path / f"out.{picture.format}", own_chain.root) == Reading("none")


@pytest.mark.parametrize("kind", KINDS)
def test_unsigned_file_has_none(kind: str, originals: dict[str, Path], own_chain: Chain) -> None:
    assert read(originals[kind], own_chain.root) == Reading("none")
    assert read(originals[kind], None, kind) == Reading("none")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["file", "file.mp4", "file.png", "file.txt", "file.exe"])
def test_the_bytes_decide_not_the_name(
    kind: str, name: str, signed: dict[str, Path], own_chain: Chain, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(signed[kind].read_bytes())
    for hint in (None, *KINDS):
        assert read(tmp_path / name, own_chain.root, hint).state == "trusted", hint


def test_copied_bytes_read_the_same(signed: dict[str, Path], own_chain: Chain, tmp_path: Path) -> None:
    (tmp_path / "renamed clip.mp4").write_bytes(signed["video/mp4"].read_bytes())
    assert read(tmp_path / "renamed clip.mp4", own_chain.root) == read(signed["video/mp4"], own_chain.root)

"""Files that only workers can read: what is opened is what was sealed, or nothing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from generation.stores.sealing import NotOurs, seal, unseal

KEY, OTHER = bytes(range(32)), bytes(32)
PIECE = 1 << 20


def sealed(content: bytes, folder: Path) -> bytes:
    (folder / "plain").write_bytes(content)
    seal(folder / "plain", folder / "sealed", key=KEY, epoch="2026-11.m1")
    return (folder / "sealed").read_bytes()


def opened(body: bytes, folder: Path, key: bytes = KEY) -> bytes:
    target = folder / "opened"
    target.unlink(missing_ok=True)
    asked: list[str] = []

    def key_of(epoch: str) -> bytes:
        asked.append(epoch)
        return key

    unseal(io.BytesIO(body), target, key_of=key_of)
    assert asked == ["2026-11.m1"]
    return target.read_bytes()


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_opens_to_what_was_sealed(length: int, tmp_path: Path) -> None:
    content = bytes(index * 7 % 251 for index in range(1000)) * (length // 1000 + 1)
    content = content[:length]
    body = sealed(content, tmp_path)
    assert opened(body, tmp_path) == content
    if length >= 64:  # a shorter piece may be in there by chance
        assert content[:64] not in body


def test_two_of_the_same_are_not_alike(tmp_path: Path) -> None:
    first = sealed(b"the same", tmp_path)
    (tmp_path / "sealed").unlink()
    assert sealed(b"the same", tmp_path) != first


@pytest.mark.parametrize("at", [0, 25, 40, 70, PIECE + 100, -1])
def test_refuses_a_byte_that_was_changed(at: int, tmp_path: Path) -> None:
    body = bytearray(sealed(bytes(2 * PIECE), tmp_path))
    body[at] ^= 1
    with pytest.raises((NotOurs, AssertionError)):
        opened(bytes(body), tmp_path)
    assert not (tmp_path / "opened").exists() or at in (0, 25)


def test_refuses_a_file_that_was_cut_off_lengthened_or_put_in_another_order(tmp_path: Path) -> None:
    body = sealed(bytes(PIECE) + b"b" * PIECE + b"c", tmp_path)
    head = len(body) - 2 * (PIECE + 17) - 18
    pieces = [body[head : head + PIECE + 17], body[head + PIECE + 17 : -18], body[-18:]]
    for wrong in (
        body[:-18],  # at the end of a piece
        body[:-1],
        body[: head + 100],
        body[:head],
        body[:10],
        b"",
        body + b"more",
        body[:head] + pieces[1] + pieces[0] + pieces[2],
        body[:head] + pieces[0] + pieces[2],
    ):
        with pytest.raises(NotOurs):
            opened(wrong, tmp_path)
        assert not (tmp_path / "opened").exists()


def test_refuses_another_key_and_what_was_never_sealed(tmp_path: Path) -> None:
    body = sealed(b"frames", tmp_path)
    with pytest.raises(NotOurs):
        opened(body, tmp_path, OTHER)
    with pytest.raises(NotOurs):
        opened(b"\x1aE\xdf\xa3 a Matroska file", tmp_path)

"""Files made to harm whoever reads them. How long and how much memory is limited by the caller."""

from __future__ import annotations

import json
import os
import random
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import c2pa
import pytest

from generation.credentials import keys
from generation.credentials.chain import Chain
from generation.credentials.claims import ENTRIES, TEXT, claims
from generation.credentials.errors import CredentialsError
from generation.credentials.manifest import Provenance, definition
from generation.credentials.reader import ELSEWHERE, Reading, read

KINDS = ["video/mp4", "image/jpeg", "image/png"]
STORE = bytes.fromhex(
    "63327061001100108000 00aa00389b71".replace(" ", "")
)  # JUMBF's type of a manifest store


class Station:
    """A server that notes who calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        station = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                station.calls.append(self.path)
                self.send_error(404)

            def log_message(self, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/manifest.c2pa"


@pytest.fixture
def station() -> Iterator[Station]:
    made = Station()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize("kind", KINDS)
def test_never_fetches_what_a_file_names(
    kind: str,
    station: Station,
    own_chain: Chain,
    originals: dict[str, Path],
    say: Callable[..., Provenance],
    tmp_path: Path,
) -> None:
    file = tmp_path / "remote"
    with (
        c2pa.Builder(definition(say(kind))) as builder,
        c2pa.Signer.from_callback(
            keys.local_key(own_chain.key), c2pa.C2paSigningAlg.ES256, own_chain.certificates.decode()
        ) as signer,
        originals[kind].open("rb") as source,
        file.open("wb+") as destination,
    ):
        builder.set_remote_url(station.url)
        builder.set_no_embed()
        builder.sign(signer, kind, source, destination)
    assert read(file, own_chain.root, kind) == Reading("none", (ELSEWHERE,))
    assert station.calls == []
    with pytest.raises(c2pa.C2paError), file.open("rb") as source:
        c2pa.Reader(kind, source)
    assert station.calls == ["/manifest.c2pa"], "a reader left as it comes would have called"


def png(manifest_store: bytes, pixels: bytes = b"") -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 10, 10, 8, 2, 0, 0, 0))
    picture = chunk(b"IDAT", pixels or zlib.compress(bytes(310)))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"caBX", manifest_store) + picture + chunk(b"IEND", b"")


def superbox(content: bytes, size: int | None = None) -> bytes:
    described = STORE + b"\x03c2pa\0"
    head = struct.pack(">I4s", 8 + len(described), b"jumd") + described
    return (
        struct.pack(">I4s", 8 + len(head) + len(content) if size is None else size, b"jumb") + head + content
    )


def nested(depth: int) -> bytes:
    each = len(superbox(b""))
    return b"".join(superbox(b"", size=(depth - level) * each) for level in range(depth))


def bomb() -> bytes:
    """256 MB of black in 256 kB."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(1 << 8)) + packer.flush()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "garbage": lambda: random.Random(1).randbytes(10_000),
    "text": lambda: b"<?php system($_GET['c']); ?>",
    "store of 50 MB of garbage": lambda: png(os.urandom(50 << 20)),
    "store of 50 MB of zeros": lambda: png(superbox(bytes(50 << 20))),
    "boxes in boxes": lambda: png(nested(100_000)),
    "box longer than the file": lambda: png(superbox(b"", size=0xFFFFFFFF)),
    "box of no size": lambda: png(superbox(b"", size=0)),
    "zip bomb of pixels": lambda: png(superbox(b""), bomb()),
    "MP4 box of 4 EiB": lambda: struct.pack(">I4sQ", 1, b"ftyp", 1 << 62) + b"isom" * 8,
    "MP4 box of no size": lambda: struct.pack(">I4s", 0, b"ftyp") + b"isom" * 8,
    "MP4 boxes in boxes": lambda: b"".join(struct.pack(">I4s", 8 * (9000 - i), b"moov") for i in range(9000)),
    "JPEG segment past the end": lambda: b"\xff\xd8\xff\xeb\xff\xff" + b"JP" * 8,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_unreadable_or_bare(name: str, own_chain: Chain, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(HOSTILE[name]())
    for hint in (None, *KINDS, "application/x-nothing", "\0"):
        reading = read(tmp_path / "file", own_chain.root, hint)
        assert reading.state in {"unreadable", "none"}, hint
        assert reading.claims is None


@pytest.mark.parametrize("kind", KINDS)
def test_no_damage_to_a_manifest_raises_or_passes_as_another_word(
    kind: str, signed: dict[str, Path], own_chain: Chain, tmp_path: Path
) -> None:
    content, chance = signed[kind].read_bytes(), random.Random(8)
    honest = read(signed[kind], own_chain.root)
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 1, 1, 4, 32])):
            damaged[chance.randrange(min(len(damaged), 14_000))] = chance.randrange(256)
        (tmp_path / "file").write_bytes(damaged)
        reading = read(tmp_path / "file", own_chain.root)
        if reading.state in {"trusted", "valid"}:  # it hit padding, or what the hash leaves out
            assert reading.claims == honest.claims


def test_file_that_cannot_be_opened_is_told_of(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.mp4", tmp_path):
        with pytest.raises(CredentialsError, match="could not be opened"):
            read(path, None)


@pytest.mark.parametrize(
    "anchors", [b"not PEM", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"]
)
def test_anchors_that_are_no_certificates_are_told_of(anchors: bytes, signed: dict[str, Path]) -> None:
    with pytest.raises(CredentialsError, match="trusted roots are not PEM certificates"):
        read(signed["image/png"], anchors)


SHAPES: list[Any] = [
    None,
    7,
    "text",
    [],
    {},
    [None],
    {"a": None},
    [[["deep"]]],
    [{"label": 3, "data": 4}],
    "x" * 10_000,
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: json.dumps(shape)[:20])
def test_manifest_of_any_shape_is_told_in_texts(shape: Any) -> None:
    fields = [
        "claim_generator_info", "claim_generator", "title", "signature_info", "ingredients", "assertions"
    ]  # fmt: skip
    manifest: dict[str, Any] = dict.fromkeys(fields, shape)
    assertion = {
        "label": "c2pa.actions.v2",
        "data": {"actions": [{"action": shape, "softwareAgent": shape}, shape]},
    }
    for told in (manifest, {**manifest, "assertions": [assertion, shape]}):
        found = claims({"active_manifest": "a", "manifests": {"a": told}})
        assert found is not None
        assert len(found.title) <= TEXT
        assert all(isinstance(action, str) for action in found.actions)
    assert claims(shape) is None
    assert claims({"active_manifest": shape, "manifests": shape}) is None


def test_long_lists_and_texts_are_cut() -> None:
    manifest = {"title": "x" * 9999, "ingredients": [{"title": "y" * 9999}] * 9999}
    found = claims({"active_manifest": "a", "manifests": {"a": manifest}})
    assert found is not None
    assert (len(found.title), len(found.ingredients), len(found.ingredients[0].title)) == (
        TEXT,
        ENTRIES,
        TEXT,
    )

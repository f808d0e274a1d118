"""The certificate that signed, out of the store: the right one, or none."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from generation.credentials import cbor, chain, leaf
from generation.credentials.chain import Chain
from generation.credentials.manifest import Ingredient, Provenance
from generation.credentials.reader import read
from generation.credentials.signer import Signer
from tests.unit.credentials.test_time_stamps import certificate

KINDS = ["video/mp4", "image/jpeg", "image/png"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_certificate_of_a_signature_is_the_signers_own(
    kind: str, signed: dict[str, Path], own_chain: Chain
) -> None:
    for anchors in (own_chain.root, None):
        found = read(signed[kind], anchors).certificate
        assert found is not None
        assert {found.sha256} == chain.signers(own_chain.certificates)
        assert found.not_after == chain.check(own_chain.certificates).not_after


def test_of_a_file_with_a_signed_parent_it_is_the_files_own(
    own_chain: Chain,
    signer: Signer,
    signed: dict[str, Path],
    originals: dict[str, Path],
    say: Callable[..., Provenance],
    tmp_path: Path,
) -> None:
    parent = Ingredient("Parent", "parentOf", "video/mp4", path=signed["video/mp4"])
    signer.sign(originals["video/mp4"], tmp_path / "child.mp4", say(ingredients=(parent,)))
    found = read(tmp_path / "child.mp4", own_chain.root).certificate
    assert found is not None
    assert {found.sha256} == chain.signers(own_chain.certificates)


def test_there_is_none_where_no_signature_holds(
    signed: dict[str, Path], originals: dict[str, Path], own_chain: Chain, tmp_path: Path
) -> None:
    damaged = bytearray(signed["image/png"].read_bytes())
    damaged[-40] ^= 1
    (tmp_path / "damaged.png").write_bytes(damaged)
    for path in (tmp_path / "damaged.png", originals["image/png"]):
        assert read(path, own_chain.root).certificate is None


def test_time_stampers_and_authorities_sign_nothing_of_ours(own_chain: Chain) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    stamps = certificate("Stamps", key, "Root", key)
    assert chain.signers(own_chain.root + stamps) == frozenset()
    assert len(chain.signers(own_chain.certificates + stamps)) == 1


@pytest.fixture
def store(signed: dict[str, Path]) -> tuple[bytes, str, str]:
    """As the library writes it, with the label of its manifest and the serial number that it tells."""
    with signed["image/png"].open("rb") as file, c2pa.Reader("image/png", file) as reader:
        told, written = json.loads(reader.json()), io.BytesIO()
        label = told["active_manifest"]
        reader.resource_to_stream(f"self#jumbf=/c2pa/{label}", written)
    serial = told["manifests"][label]["signature_info"]["cert_serial_number"]
    return written.getvalue(), label, serial


def test_no_damage_to_a_store_raises_or_gives_another_certificate(
    store: tuple[bytes, str, str], own_chain: Chain
) -> None:
    content, label, serial = store
    honest, chance = chain.signers(own_chain.certificates), random.Random(5)
    assert leaf.certificate(content, label, serial) is not None
    assert leaf.certificate(content, label, "7") is None
    assert leaf.certificate(content, "urn:c2pa:another", serial) is None
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 1, 4, 32])):
            damaged[chance.randrange(5000)] = chance.randrange(256)
        leaf.certificate(bytes(damaged[: chance.choice([len(damaged), 3000])]), label, serial)
    begin, twice = content[:38], content[38:]  # the store's own head, and the manifest in it
    doubled = (len(content) + len(twice)).to_bytes(4, "big") + begin[4:] + twice * 2
    assert leaf.certificate(doubled, label, serial) is None, "of two by one name neither is certain"
    assert len(honest) == 1


PLAIN: dict[str, tuple[str, Any]] = {
    "numbers": ("83 00 18 ff 38 63", [0, 255, -100]),
    "texts": ("82 41 00 61 61", [b"\0", "a"]),
    "a map": ("a2 18 21 40 61 62 f6", {33: b"", "b": None}),
    "a tag": ("d2 80", []),
}
REFUSED = {
    "nothing": "",
    "too short": "42 00",
    "something behind": "00 00",
    "a name twice": "a2 01 00 01 01",
    "no name": "a1 80 00",
    "a length that is not told": "9f ff",
    "more items than bytes": "9b ff ff ff ff ff ff ff ff",
    "a number with a fraction": "f9 00 14",
    "no text": "61 ff",
    "too deep": "81" * 20 + "00",
}


@pytest.mark.parametrize("name", PLAIN)
def test_reads_what_is_plain(name: str) -> None:
    written, value = PLAIN[name]
    assert cbor.loads(bytes.fromhex(written)) == value


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_is_not(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - nobody reads the sentence
        cbor.loads(bytes.fromhex(REFUSED[name]))

"""A signature that its certificate has outlived, or the other way round: ours is told from an imitation of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.core import ratelimit
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from PIL import Image
from pytest_django import Settings

from delivery import checking
from generation.credentials import chain
from generation.credentials.chain import Chain
from generation.credentials.child import FileRead
from generation.credentials.claims import EXPIRED
from generation.credentials.keys import local_key
from generation.credentials.manifest import Provenance
from generation.credentials.signer import Signer
from tests.factories.api import Api

pytestmark = pytest.mark.django_db
LIFETIME = timedelta(seconds=8)  # room enough to sign all of them on a busy machine


@dataclass(frozen=True)
class Signed:
    content: bytes
    certificates: bytes
    until: datetime


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signed]:
    """Pictures whose certificates have run out: ours, an imitation of ours, one that carries ours behind its own."""
    folder = tmp_path_factory.mktemp("expired")
    ours, theirs = (chain.make(now=datetime.now(UTC), lifetime=LIFETIME) for _ in range(2))
    made = {"ours": ours, "imitated": imitation(ours)}
    files = {name: signed(folder / f"{name}.jpg", one) for name, one in made.items()}
    files["behind"] = signed(folder / "behind.jpg", theirs, behind=ours.certificates)
    until = max(each.until for each in files.values())
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 1.1)
    return files


def signed(path: Path, one: Chain, behind: bytes = b"") -> Signed:
    plain = path.with_name("plain.jpg")
    Image.effect_noise((64, 64), 20).convert("RGB").save(plain)
    told = Provenance(title="Clip", media_type="image/jpeg", model="turbo", variant="1", software="1")
    signer = Signer(one.certificates, local_key(one.key))
    signer._certificates += behind.decode()  # no chain of ours would pass its own check like that
    signer.sign(plain, path, told)
    return Signed(path.read_bytes(), one.certificates, chain.check(one.certificates).not_after)


def imitation(of: Chain) -> Chain:
    """The same names, serial numbers and times, other keys: what anybody can make."""
    leaf, root = x509.load_pem_x509_certificates(of.certificates)
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pems = [copied(each, key, root_key) for each, key in ((leaf, leaf_key), (root, root_key))]
    private = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Chain(b"".join(pems), private, pems[1])


def copied(
    of: x509.Certificate, key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey
) -> bytes:
    builder = (
        x509.CertificateBuilder(of.issuer, of.subject, key.public_key(), of.serial_number)
        .not_valid_before(of.not_valid_before_utc)
        .not_valid_after(of.not_valid_after_utc)
    )
    for each in of.extensions:
        builder = builder.add_extension(each.value, each.critical)
    return builder.sign(issuer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(autouse=True)
def roots(valkey: object, tmp_path: Path, settings: Settings, expired: dict[str, Signed]) -> Path:
    """The file of PRIVATE_VIEW_C2PA_ROOTS, as a web process has it; nothing was checked from this address yet."""
    ratelimit.clear(RequestFactory().post("/check"), action="check")
    path = tmp_path / "roots.pem"
    settings.C2PA_ROOTS, settings.C2PA_CHAIN = str(path), ""
    path.write_bytes(expired["ours"].certificates)
    return path


def credentials(content: bytes) -> Any:
    form = {"file": SimpleUploadedFile("clip.jpg", content)}
    return Api(None).post("/verify", form=form).ok()["credentials"]


def page(content: bytes) -> str:
    return Client().post("/check", {"file": SimpleUploadedFile("clip.jpg", content)}).content.decode()


def told(of: Signed) -> str:
    return f"{of.until.day} {of.until:%B %Y}"


def test_ours_stays_ours_when_its_certificate_has_run_out(expired: dict[str, Signed]) -> None:
    ours = expired["ours"]
    found = credentials(ours.content)
    assert found["state"] == "valid"
    assert found["certificate"] == {
        "ours": True,
        "expired": True,
        "not_after": int(ours.until.timestamp()),
    }
    shown = page(ours.content)
    assert "Signed by us, unchanged, certificate run out" in shown
    assert f"the certificate is ours; it ran out on {told(ours)}" in shown
    assert "we do not know" not in shown


@pytest.mark.parametrize("name", ["imitated", "behind"])
def test_a_name_and_a_serial_number_make_nobody_one_of_us(name: str, expired: dict[str, Signed]) -> None:
    other = expired[name]
    found = credentials(other.content)
    assert (found["state"], found["certificate"]["expired"]) == ("valid", True)
    assert found["certificate"]["ours"] is False
    shown = page(other.content)
    assert "Signed, unchanged, certificate run out" in shown
    assert (
        f"The certificate that signed it ran out on {told(other)}; who is behind it, we cannot say." in shown
    )
    assert "by us" not in shown


def test_a_certificate_that_is_not_listed_any_more_is_a_strangers(
    expired: dict[str, Signed], roots: Path
) -> None:
    roots.write_bytes(chain.make(now=datetime.now(UTC)).certificates)
    found = credentials(expired["ours"].content)
    assert (found["certificate"]["ours"], found["certificate"]["expired"]) == (False, True)


def test_what_was_changed_is_told_by_no_certificate(expired: dict[str, Signed]) -> None:
    damaged = bytearray(expired["ours"].content)
    damaged[-40] ^= 1
    found = credentials(bytes(damaged))
    assert (found["state"], found["certificate"]) == ("changed", None)
    assert "by us" not in page(bytes(damaged))


def test_without_its_certificate_a_file_is_nobodys_and_no_day_is_told(
    expired: dict[str, Signed], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FileRead("valid", (EXPIRED,))
    monkeypatch.setattr(checking, "read_apart", lambda *_: read)
    assert credentials(b"x")["certificate"] == {"ours": False, "expired": True, "not_after": None}
    assert "The certificate that signed it has run out; who is behind it" in page(b"x")


def test_one_that_holds_is_told_with_its_last_day(roots: Path, tmp_path: Path) -> None:
    now = signed(tmp_path / "now.jpg", made := chain.make(now=datetime.now(UTC)))
    roots.write_bytes(made.certificates)
    found = credentials(now.content)
    assert found["state"] == "trusted"
    assert found["certificate"] == {"ours": True, "expired": False, "not_after": int(now.until.timestamp())}

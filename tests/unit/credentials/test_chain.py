"""Chains and keys that cannot sign are refused with a sentence, before or instead of a broken file."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from generation.credentials import chain, keys
from generation.credentials.chain import Chain
from generation.credentials.errors import CredentialsError
from generation.credentials.manifest import Provenance
from generation.credentials.reader import read
from generation.credentials.signer import Signer

Say = Callable[..., Provenance]


def test_leaf_may_sign_claims_and_nothing_else(own_chain: Chain) -> None:
    leaf, root = x509.load_pem_x509_certificates(own_chain.certificates)
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [usage.dotted_string for usage in usages] == ["1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4"]
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is True
    assert own_chain.root in own_chain.certificates
    assert own_chain.key.startswith(b"-----BEGIN PRIVATE KEY-----")


def test_chain_holds_from_the_given_time() -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    made = chain.make(now=now, organisation="Harbour Films", lifetime=timedelta(days=30))
    identity = chain.check(made.certificates)
    chain.check_valid(identity, now)
    chain.check_valid(identity, now + timedelta(days=30))
    with pytest.raises(CredentialsError, match="expired on 2030-01-31 00:00 UTC"):
        chain.check_valid(identity, now + timedelta(days=31))
    with pytest.raises(CredentialsError, match="too early"):
        chain.check_valid(identity, now - timedelta(hours=1))


def test_refuses_to_sign_with_expired_leaf(originals: dict[str, Path], say: Say, tmp_path: Path) -> None:
    old = chain.make(now=datetime.now(UTC) - timedelta(days=40), lifetime=timedelta(days=30))
    signer = Signer(old.certificates, keys.local_key(old.key))
    with pytest.raises(CredentialsError, match="certificate expired on"):
        signer.sign(originals["image/png"], tmp_path / "a.png", say("image/png"))
    assert list(tmp_path.iterdir()) == []


def test_refuses_chain_in_wrong_order(own_chain: Chain) -> None:
    leaf = own_chain.certificates.removesuffix(own_chain.root)
    with pytest.raises(CredentialsError, match="must begin with the signer's certificate"):
        Signer(own_chain.root + leaf, keys.local_key(own_chain.key))


def test_refuses_chain_whose_parts_are_strangers(own_chain: Chain) -> None:
    leaf = own_chain.certificates.removesuffix(own_chain.root)
    other = chain.make(now=datetime.now(UTC), organisation="Another")
    with pytest.raises(CredentialsError, match="did not issue it"):
        Signer(leaf + other.root, keys.local_key(own_chain.key))


@pytest.mark.parametrize(
    "text", [b"", b"not PEM", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"]
)
def test_refuses_what_is_no_certificate(text: bytes, own_chain: Chain) -> None:
    with pytest.raises(CredentialsError, match="not a list of PEM certificates"):
        Signer(text, keys.local_key(own_chain.key))


def test_refuses_key_of_another_certificate(
    own_chain: Chain, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    other = chain.make(now=datetime.now(UTC))
    signer = Signer(own_chain.certificates, keys.local_key(other.key))
    with pytest.raises(CredentialsError, match="does not fit the signer's certificate"):
        signer.sign(originals["image/png"], tmp_path / "a.png", say("image/png"))
    assert list(tmp_path.iterdir()) == []


def test_refuses_signature_in_der(
    own_chain: Chain, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    key = serialization.load_pem_private_key(own_chain.key, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signer = Signer(own_chain.certificates, lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())))
    with pytest.raises(CredentialsError, match="a raw ES256 signature has 64"):
        signer.sign(originals["image/png"], tmp_path / "a.png", say("image/png"))


def test_key_in_the_older_form_signs(
    own_chain: Chain, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    key = serialization.load_pem_private_key(own_chain.key, password=None)
    older = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    assert older.startswith(b"-----BEGIN EC PRIVATE KEY-----")
    Signer(own_chain.certificates, keys.local_key(older)).sign(
        originals["image/png"], tmp_path / "a.png", say("image/png")
    )
    assert read(tmp_path / "a.png", own_chain.root).state == "trusted"


def test_refuses_what_is_no_key_for_es256(own_chain: Chain) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(CredentialsError, match="must be an elliptic key on P-256"):
        keys.local_key(pem)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"word"),
    )
    for text in (b"", b"not PEM", own_chain.root, locked):
        with pytest.raises(CredentialsError, match="not a PEM private key without a password"):
            keys.local_key(text)


def test_refuses_time_stamp_server_without_a_scheme(own_chain: Chain) -> None:
    with pytest.raises(CredentialsError, match="must begin with http"):
        Signer(own_chain.certificates, keys.local_key(own_chain.key), ta_url="stamps.example")


def test_signature_outlives_its_certificate_as_valid(
    originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    """Not as changed: the file is what was signed. Not as trusted: nobody knows when it was."""
    brief = chain.make(now=datetime.now(UTC), lifetime=timedelta(seconds=3))
    Signer(brief.certificates, keys.local_key(brief.key)).sign(
        originals["image/png"], tmp_path / "a.png", say("image/png")
    )
    assert read(tmp_path / "a.png", brief.root).state == "trusted"
    ends = chain.check(brief.certificates).not_after
    time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()) + 1.1)
    reading = read(tmp_path / "a.png", brief.root)
    assert reading.state == "valid"
    assert "signingCredential.expired" in reading.failures
    damaged = bytearray((tmp_path / "a.png").read_bytes())
    damaged[-40] ^= 1
    (tmp_path / "a.png").write_bytes(damaged)
    assert read(tmp_path / "a.png", brief.root).state in ("changed", "unreadable")

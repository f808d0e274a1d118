"""Whose signature is ours: one certificate, not everybody's who bought theirs at the same place."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.core import ratelimit
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from PIL import Image
from pytest_django import Settings

from delivery import signers
from generation.credentials import chain
from generation.credentials.keys import local_key
from generation.credentials.manifest import Provenance
from generation.credentials.signer import Signer
from tests.factories.api import Api
from tests.rig import environment

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Leaf:
    certificate: bytes
    signed: bytes


class Authority:
    """Sells certificates to anybody."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = chain._name("Trust Ltd", "root")
        self._root = chain._certificate(
            self._name, self._name, self._key.public_key(), self._key, NOW, timedelta(days=9), authority=True
        )
        self.root = pem(self._root)

    def leaf(self, organisation: str) -> Leaf:
        """A customer's certificate, and a picture that they signed."""
        key = ec.generate_private_key(ec.SECP256R1())
        name, lifetime = chain._name(organisation, "signer"), timedelta(days=9)
        made = chain._certificate(
            name, self._name, key.public_key(), self._key, NOW, lifetime, authority=False
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        plain, signed = self._folder / "plain.jpg", self._folder / "signed.jpg"
        Image.effect_noise((64, 64), 20).convert("RGB").save(plain)
        told = Provenance(title="Clip", media_type="image/jpeg", model="turbo", variant="1", software="1")
        Signer(pem(made) + self.root, local_key(private)).sign(plain, signed, told)
        return Leaf(pem(made), signed.read_bytes())


@pytest.fixture(autouse=True)
def _unthrottled(valkey: object) -> None:
    """As if nothing had been checked from this address yet."""
    ratelimit.clear(RequestFactory().post("/check"), action="check")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def roots(tmp_path: Path, settings: Settings) -> Path:
    """The file of PRIVATE_VIEW_C2PA_ROOTS, as a web process has it."""
    path = tmp_path / "roots.pem"
    settings.C2PA_ROOTS, settings.C2PA_CHAIN = str(path), ""
    return path


def state(content: bytes) -> Any:
    form = {"file": SimpleUploadedFile("clip.jpg", content)}
    return Api(None).post("/verify", form=form).ok()["credentials"]["state"]


def page(content: bytes) -> str:
    return Client().post("/check", {"file": SimpleUploadedFile("clip.jpg", content)}).content.decode()


def test_another_customer_of_our_authority_is_a_stranger(authority: Authority, roots: Path) -> None:
    ours, past, theirs = (authority.leaf(name) for name in ("Private View", "Private View", "Private View"))
    roots.write_bytes(authority.root + ours.certificate + past.certificate)

    assert [state(leaf.signed) for leaf in (ours, past, theirs)] == ["trusted", "trusted", "valid"]
    assert "Signed by us, unchanged" in page(past.signed)
    assert "Signed by somebody we do not know, unchanged" in page(theirs.signed)


def test_the_certificate_that_signs_now_counts_beside_the_roots(
    authority: Authority, roots: Path, settings: Settings
) -> None:
    ours = authority.leaf("Private View")
    roots.write_bytes(authority.root)
    settings.C2PA_CHAIN = str(roots.with_name("chain.pem"))
    Path(settings.C2PA_CHAIN).write_bytes(ours.certificate + authority.root)

    assert state(ours.signed) == "trusted"
    assert state(authority.leaf("Elsewhere").signed) == "valid"


@pytest.mark.parametrize("fault", ["missing", "no certificates", "roots alone"])
def test_certificates_that_cannot_be_used_make_nobody_a_stranger(
    fault: str, authority: Authority, roots: Path
) -> None:
    ours = authority.leaf("Private View")
    if fault != "missing":
        roots.write_bytes(authority.root if fault == "roots alone" else b"none")

    form = {"file": SimpleUploadedFile("clip.jpg", ours.signed)}
    answer = Api(None).post("/verify", form=form)
    body = answer.refused(503, "unavailable")
    assert (
        body["detail"] == "Files cannot be checked at the moment. The fault is ours, and we have been told."
    )
    assert answer.headers["Retry-After"] == "60"
    shown = Client().post("/check", {"file": SimpleUploadedFile("clip.jpg", ours.signed)})
    assert (shown.status_code, shown["Retry-After"]) == (503, "60")
    assert 'id="err_file">Files cannot be checked at the moment' in shown.content.decode()
    with pytest.raises(ImproperlyConfigured, match=r"PRIVATE_VIEW_C2PA_ROOTS|not a list of PEM"):
        signers.own()


def test_the_web_process_does_not_start_with_certificates_that_it_cannot_read(tmp_path: Path) -> None:
    env = environment.for_web() | {"PRIVATE_VIEW_C2PA_ROOTS": str(tmp_path / "nowhere.pem")}
    command = [sys.executable, "-c", "import config.asgi"]
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "The certificates that tell our own files from others cannot be read" in done.stderr

"""With a time stamp a signature outlives its certificate. The server here is OpenSSL behind a loopback door."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from generation.credentials import chain, keys
from generation.credentials.manifest import Provenance
from generation.credentials.reader import read
from generation.credentials.signer import Signer

CONFIGURATION = """
[tsa]
default_tsa = ours
[ours]
serial = serial
signer_cert = stamps.pem
certs = root.pem
signer_key = stamps.key
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
"""


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey
) -> bytes:
    authority, now = name == issuer, datetime.now(UTC)
    subject, above = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer))
    above_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    others = ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement"]
    usage = dict.fromkeys([*others, "encipher_only", "decipher_only"], False)
    builder = (
        x509.CertificateBuilder(above, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(above_key, critical=False)
    )
    if not authority:
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(stamping, critical=True)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Stamps:
    url: str
    root: bytes


@pytest.fixture
def stamps(tmp_path: Path) -> Iterator[Stamps]:
    if shutil.which("openssl") is None:
        pytest.skip("a time-stamp server needs openssl, which this machine has not")
    folder = tmp_path / "stamps"
    folder.mkdir()
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    (folder / "root.pem").write_bytes(certificate("Root", root_key, "Root", root_key))
    (folder / "stamps.pem").write_bytes(certificate("Stamps", key, "Root", root_key))
    (folder / "stamps.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (folder / "serial").write_text("01\n")
    (folder / "openssl.cnf").write_text(CONFIGURATION)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            answering = [
                "openssl",
                "ts",
                "-reply",
                "-queryfile",
                "query",
                "-config",
                "openssl.cnf",
                "-out",
                "answer",
            ]
            subprocess.run(answering, cwd=folder, check=True, capture_output=True)
            answer = (folder / "answer").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Stamps(f"http://127.0.0.1:{server.server_port}/", (folder / "root.pem").read_bytes())
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", ["video/mp4", "image/png"])
def test_signature_outlives_its_certificate_as_trusted(
    kind: str, stamps: Stamps, originals: dict[str, Path], say: Callable[..., Provenance], tmp_path: Path
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    brief = chain.make(now=before, lifetime=timedelta(seconds=4))
    signer = Signer(brief.certificates, keys.local_key(brief.key), ta_url=stamps.url)
    signer.sign(originals[kind], tmp_path / "stamped", say(kind))

    fresh = read(tmp_path / "stamped", brief.root + stamps.root)
    assert (fresh.state, fresh.failures) == ("trusted", ())
    assert fresh.claims is not None
    assert fresh.claims.signed_at is not None
    assert before <= fresh.claims.signed_at <= datetime.now(UTC)

    time.sleep(max(0.0, (before + timedelta(seconds=4) - datetime.now(UTC)).total_seconds()) + 1.1)
    assert read(tmp_path / "stamped", brief.root + stamps.root) == fresh


def test_time_of_an_unknown_server_is_not_believed(
    stamps: Stamps,
    own_chain: chain.Chain,
    originals: dict[str, Path],
    say: Callable[..., Provenance],
    tmp_path: Path,
) -> None:
    signer = Signer(own_chain.certificates, keys.local_key(own_chain.key), ta_url=stamps.url)
    signer.sign(originals["image/png"], tmp_path / "a.png", say("image/png"))
    reading = read(tmp_path / "a.png", own_chain.root)
    assert reading.state == "trusted"
    assert reading.claims is not None
    assert reading.claims.signed_at is None

"""A chain of certificates for claim signatures: made for development, checked wherever one is used."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from generation.credentials.errors import CredentialsError

CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")  # c2pa-kp-claimSigning
ROOT_LIFETIME = timedelta(days=3650)
# Clocks differ: a certificate made here must hold on a machine whose clock is a little behind.
BACKDATED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Chain:
    """Three PEM texts: leaf then root, the leaf's private key (PKCS8, not encrypted), the root alone."""

    certificates: bytes
    key: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """What the leaf of a checked chain says; `public_key` is what every signature must fit."""

    public_key: ec.EllipticCurvePublicKey
    not_before: datetime
    not_after: datetime


def make(
    *, now: datetime, organisation: str = "Private View", lifetime: timedelta = timedelta(days=365)
) -> Chain:
    """A root of our own and a leaf under it, ES256. The leaf holds from `now` for `lifetime`.

    The root's key is thrown away: this root can sign no second leaf, so a copied file cannot either.
    """
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name(organisation, "Content Credentials root")
    root = _certificate(
        issuer, issuer, root_key.public_key(), root_key, now, max(ROOT_LIFETIME, lifetime), authority=True
    )
    subject = _name(organisation, "Content Credentials signer")
    leaf = _certificate(subject, issuer, leaf_key.public_key(), root_key, now, lifetime, authority=False)
    root_pem = root.public_bytes(serialization.Encoding.PEM)
    return Chain(
        certificates=leaf.public_bytes(serialization.Encoding.PEM) + root_pem,
        key=leaf_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        root=root_pem,
    )


def check(certificates: bytes) -> Identity:
    """The leaf of a PEM chain. Raises CredentialsError where the chain could not sign for us."""
    try:
        chain = x509.load_pem_x509_certificates(certificates)
    except ValueError:
        raise CredentialsError("The certificate chain is not a list of PEM certificates.") from None
    leaf = chain[0]
    if _is_authority(leaf):
        raise CredentialsError(
            "The certificate chain must begin with the signer's certificate, then its issuers."
        )
    for below, above in itertools.pairwise(chain):
        _check_issued(below, above)
    return Identity(_es256_key(leaf), leaf.not_valid_before_utc, leaf.not_valid_after_utc)


def signers(certificates: bytes) -> frozenset[str]:
    """SHA-256, as `Certificate` has it, of each certificate that may sign: no authority's, no time-stamp server's.

    Raises CredentialsError where the text is no list of PEM certificates.
    """
    signing = [each for each in _listed(certificates) if not (_is_authority(each) or _stamps_times(each))]
    return frozenset(_fingerprint(each) for each in signing)


def added(certificates: bytes, more: bytes) -> bytes:
    """What is missing of `more` in a list of PEM certificates, to be put at its end. Raises CredentialsError."""
    there = {_fingerprint(each) for each in _listed(certificates)} if certificates.strip() else set()
    missing = [each for each in _listed(more) if _fingerprint(each) not in there]
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in missing)


def check_valid(identity: Identity, now: datetime) -> None:
    """Raises CredentialsError where the leaf does not hold at `now`."""
    if now > identity.not_after:
        raise CredentialsError(
            f"The signer's certificate expired on {identity.not_after:%Y-%m-%d %H:%M} UTC."
        )
    if now < identity.not_before:
        raise CredentialsError(
            f"The signer's certificate holds from {identity.not_before:%Y-%m-%d %H:%M} UTC; it is too early."
        )


def _listed(certificates: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(certificates)
    except ValueError:
        raise CredentialsError("The certificates are not a list of PEM certificates.") from None


def _fingerprint(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def _check_issued(below: x509.Certificate, above: x509.Certificate) -> None:
    try:
        below.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        subject = below.subject.rfc4514_string()
        raise CredentialsError(
            f"The certificate chain is in the wrong order or incomplete: what follows {subject} did not issue it."
        ) from None


def _es256_key(leaf: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CredentialsError("The signer's certificate must hold an elliptic key on P-256 (ES256).")
    return key


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _stamps_times(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usages


def _name(organisation: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(
                NameOID.COMMON_NAME, f"{organisation} {common_name}"[:64]
            ),  # X.520's upper bound
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    signing_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    lifetime: timedelta,
    *,
    authority: bool,
) -> x509.Certificate:
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + lifetime)
        .add_extension(
            x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True
        )
        .add_extension(_usage(authority=authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    if not authority:
        # claimSigning is C2PA's own usage, but validators with older settings accept only emailProtection.
        usages = x509.ExtendedKeyUsage([CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usages, critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )

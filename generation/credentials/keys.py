"""Who holds the signing key: this process, or a service that signs for it."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from generation.credentials.errors import CredentialsError

# Takes the bytes to sign, hashes them with SHA-256, gives r then s, each 32 bytes, big-endian: COSE's form of
# ES256. A key service mostly answers in DER; `raw` turns that round.
Sign = Callable[[bytes], bytes]

NUMBER = 32  # bytes of r and of s on P-256


def local_key(pem: bytes) -> Sign:
    """Signs with a private key in this process's memory. Raises CredentialsError where it is no such key."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CredentialsError("The signing key is not a PEM private key without a password.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CredentialsError("The signing key must be an elliptic key on P-256 (ES256).")
    return lambda data: raw(key.sign(data, ec.ECDSA(hashes.SHA256())))


def raw(der: bytes) -> bytes:
    """r then s of a signature in DER."""
    return b"".join(number.to_bytes(NUMBER, "big") for number in decode_dss_signature(der))


def check_signature(public_key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> None:
    """Raises CredentialsError unless `signature` is raw and made by the certificate's key."""
    if len(signature) != 2 * NUMBER:
        raise CredentialsError(
            f"The signing key answered with {len(signature)} bytes; a raw ES256 signature has {2 * NUMBER}."
        )
    r, s = (int.from_bytes(part, "big") for part in (signature[:NUMBER], signature[NUMBER:]))
    try:
        public_key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise CredentialsError("The signing key does not fit the signer's certificate.") from None

"""The certificate that signed a claim, out of the manifest store as the library writes it.

The library checks that certificate and does not hand it out. Where anything is not as signers write it none is found:
what is not certain must not be told to be ours.
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography import x509

from generation.credentials import cbor
from generation.credentials.claims import Certificate

_CHAIN: Final = (33, "x5chain")  # both names of the header that holds the certificates, the signer's first

Box = tuple[bytes, bytes]  # type and content


def certificate(store: bytes, label: str, serial: str) -> Certificate | None:
    """Of the manifest of that label. `serial`: the number, in decimal, of the certificate that the library checked."""
    try:
        der = _leaf(store, label)
        found = x509.load_der_x509_certificate(der)
        if str(found.serial_number) != serial:
            return None
        return Certificate(hashlib.sha256(der).hexdigest(), found.not_valid_after_utc)
    except (ValueError, TypeError, LookupError):  # it has another shape
        return None


def _leaf(store: bytes, label: str) -> bytes:
    manifest = _named(_named(_boxes(store), "c2pa"), label)
    ((_, signature),) = _named(manifest, "c2pa.signature")
    # COSE_Sign1 (RFC 9052): what the signature covers, what it does not, and the signature itself.
    covered, loose, _, _ = cbor.loads(signature)
    places = [names[name] for names in (cbor.loads(covered), loose) for name in _CHAIN if name in names]
    (chain,) = places
    first = chain if isinstance(chain, bytes) else chain[0]
    if not isinstance(first, bytes):
        raise ValueError("no certificate")
    return first


def _named(boxes: list[Box], label: str) -> list[Box]:
    """What is in the only superbox of that name, beside its description."""
    found = []
    for kind, content in boxes:
        if kind == b"jumb":
            (_, described), *rest = _boxes(content)
            # A type of 16 bytes and one of flags stand before the name.
            if described[17:].partition(b"\0")[0] == label.encode():
                found.append(rest)
    (only,) = found
    return only


def _boxes(data: bytes) -> list[Box]:
    at, found = 0, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        if not 8 <= length <= len(data) - at:
            raise ValueError("a box without an end")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + length]))
        at += length
    return found

"""Who signs for this house. A root may have signed for others too: only certificates of our own are told to be ours.

It is the certificate itself that counts, whole: a name and a serial number anybody can give to theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from generation.credentials.claims import Certificate
from generation.errors import EngineError


@dataclass(frozen=True, slots=True)
class Own:
    """`anchors`: PEM of what is trusted. `signers`: SHA-256 of each certificate that is ours."""

    anchors: bytes
    signers: frozenset[str]

    def signed_with(self, certificate: Certificate | None) -> bool:
        """Whether the certificate of a signature that holds is one of ours. False where it is not known."""
        return certificate is not None and certificate.sha256 in self.signers


def own() -> Own | None:
    """Read anew each time, for certificates are added while we run. None where no roots are set.

    Raises ImproperlyConfigured where a file cannot be read, or names no signer.
    """
    if not settings.C2PA_ROOTS:
        return None
    anchors = _pem(settings.C2PA_ROOTS)
    found = _signers(settings.C2PA_ROOTS, anchors)
    if settings.C2PA_CHAIN and settings.C2PA_CHAIN != settings.C2PA_ROOTS:
        found |= _signers(settings.C2PA_CHAIN, _pem(settings.C2PA_CHAIN))
    if not found:
        raise ImproperlyConfigured(
            f"{settings.C2PA_ROOTS} (PRIVATE_VIEW_C2PA_ROOTS) holds roots alone, under which others may sign as well: "
            "no file could be told to be ours. Add the certificates of your own signers, past ones too; they stand "
            "first in each PRIVATE_VIEW_C2PA_CHAIN."
        )
    return Own(anchors, found)


def _pem(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as fault:
        raise ImproperlyConfigured(
            f"The certificates that tell our own files from others cannot be read: {fault}. "
            "PRIVATE_VIEW_C2PA_ROOTS names their file."
        ) from fault


def _signers(path: str, pem: bytes) -> frozenset[str]:
    from generation.credentials import chain

    try:
        return chain.signers(pem)
    except EngineError as fault:
        raise ImproperlyConfigured(f"{path} is not a list of PEM certificates.") from fault

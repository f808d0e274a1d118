"""Reads what a file says about itself. The file may come from anywhere and may lie in every byte."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import c2pa
from cryptography import x509

from generation.credentials import leaf
from generation.credentials.claims import EXPIRED, Certificate, Claims, IngredientClaim, claims, codes
from generation.credentials.errors import CredentialsError

State = Literal["none", "trusted", "valid", "changed", "unreadable"]

# These speak of the signer, not of the file: what was signed is still what is there.
SIGNER_FAILURES = frozenset({"signingCredential.untrusted", EXPIRED})
ELSEWHERE = "manifest.inaccessible"

# Of a manifest. A stroke in it would begin the name of something inside.
_LABEL: Final = re.compile(r"[A-Za-z0-9_:.-]{1,200}")
_STATES: dict[str, State] = {"Trusted": "trusted", "Valid": "valid", "Invalid": "changed"}
# A file may name addresses: of its manifest, of a revocation list, of a did:web identity. Asking them would let
# whoever uploads a file choose whom this machine talks to.
_OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": [], "allow_redirects": False, "decode_identity_assertions": False},
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found.

    `none`: no credentials inside; with the failure ELSEWHERE it names an address, which was not asked.
    `trusted`: signed under one of the anchors.
    `valid`: signed well, by somebody unknown or with a certificate that has expired since; `failures` says which.
    `changed`: content, manifest or signature do not hold. `claims` is what it says; none of it is proven.
    `unreadable`: damaged, or no kind of file that can carry credentials.

    `certificate`: with which a signature that holds was made, None where that is not certain.
    """

    state: State
    failures: tuple[str, ...] = ()  # C2PA's status codes
    claims: Claims | None = None
    certificate: Certificate | None = None


def read(path: Path, anchors: bytes | None, media_type: str | None = None) -> Reading:
    """Reads one file without asking any other machine.

    `anchors`: PEM certificates of the roots to trust, of signers and of time-stamp servers. `media_type`: a
    hint; the bytes decide. Raises CredentialsError where the file cannot be opened or the anchors are no
    certificates. How long it takes and how much memory is for the caller to limit.
    """
    with _context(anchors) as context:
        try:
            source = path.open("rb")
        except OSError as fault:
            raise CredentialsError(f"{path.name} could not be opened: {fault.strerror}.") from fault
        with source:
            try:
                return _read(context, source, media_type)
            except Exception as fault:  # noqa: BLE001 - whatever a hostile file sets off, the file is the reason
                return _refused(fault)


def _context(anchors: bytes | None) -> Any:
    settings: dict[str, Any] = dict(_OFFLINE)
    if anchors:
        try:
            x509.load_pem_x509_certificates(anchors)  # the library would pass over what is none
            settings["trust"] = {"user_anchors": anchors.decode("ascii")}
        except ValueError:
            raise CredentialsError("The trusted roots are not PEM certificates.") from None
    return c2pa.Context.from_dict(settings)


def _read(context: Any, source: Any, media_type: str | None) -> Reading:
    reader = c2pa.Reader.try_create(media_type, source, None, context)
    if reader is None:
        return Reading("none")
    with reader:
        store = json.loads(reader.json())
        failures, told = codes(store, "failure"), claims(store)
        state = _state(store.get("validation_state"), failures)
        found = None
        if told and state in {"trusted", "valid"}:
            found = _certificate(reader, store["active_manifest"], told.signer_serial)
    return Reading(state, failures, told, found)


def _certificate(reader: Any, label: str, serial: str) -> Certificate | None:
    if not _LABEL.fullmatch(label):
        return None
    written = io.BytesIO()
    try:
        reader.resource_to_stream(f"self#jumbf=/c2pa/{label}", written)
    except c2pa.C2paError:
        return None
    return leaf.certificate(written.getvalue(), label, serial)


def _refused(fault: Exception) -> Reading:
    # The library has an exception for this, but its binding does not know the word that this version says.
    if isinstance(fault, c2pa.C2paError) and str(fault).startswith("Remote"):
        return Reading("none", (ELSEWHERE,))
    return Reading("unreadable")


def _state(told: object, failures: tuple[str, ...]) -> State:
    state = _STATES.get(str(told), "unreadable")
    if state == "changed" and failures and SIGNER_FAILURES.issuperset(failures):
        # Without a time stamp nobody can tell whether the certificate still held when it signed.
        return "valid"
    return state


__all__ = [
    "ELSEWHERE",
    "SIGNER_FAILURES",
    "Certificate",
    "Claims",
    "IngredientClaim",
    "Reading",
    "State",
    "read",
]

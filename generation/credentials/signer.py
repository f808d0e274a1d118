"""Signs finished files: the last thing that happens to their bytes."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import c2pa

from generation.credentials import chain, disk, keys
from generation.credentials.errors import CredentialsError
from generation.credentials.manifest import Ingredient, Provenance, definition, ingredient_definition
from generation.errors import EngineError, Transient

_PROBE = b"whether the key fits the certificate"
MEDIA_TYPES = ("video/mp4", "image/jpeg", "image/png")

# Nothing is fetched while signing but the time stamp, which the list of hosts does not govern. Thumbnails would
# add 100 kB for a small copy of what is there.
_VERIFY = {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": True}
_QUIET = {
    "verify": _VERIFY,
    "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
    "builder": {"thumbnail": {"enabled": False}},
}
_UNCHECKED = {**_QUIET, "verify": {**_VERIFY, "verify_after_reading": False}}


class Signer:
    """One chain and its key. May be kept across a fork and shared by threads.

    A native context that was made before a fork is dead in the child, so none is kept: every call makes its
    own, which costs less than a millisecond.
    """

    def __init__(self, certificates: bytes, sign: keys.Sign, *, ta_url: str | None = None) -> None:
        """`certificates`: PEM, leaf first. `ta_url`: an RFC 3161 time-stamp server, asked once for each file.

        Raises CredentialsError where the chain could not sign.
        """
        if ta_url and not ta_url.startswith(("http://", "https://")):
            raise CredentialsError("The time-stamp server's address must begin with http:// or https://.")
        self._identity = chain.check(certificates)
        self._certificates = certificates.decode("ascii")
        self._sign = sign
        self._ta_url = ta_url or None

    def check(self, now: datetime) -> datetime:
        """Until when the certificate holds. Raises EngineError where nothing could be signed with it at `now`: it does
        not hold, or the key is another's."""
        chain.check_valid(self._identity, now)
        self._signature(_PROBE)
        return self._identity.not_after

    def _signature(self, data: bytes) -> bytes:
        """The key's, checked. Raises EngineError, whatever a key service's client raises."""
        try:
            signature = self._sign(data)
        except EngineError:
            raise
        except Exception as fault:
            raise Transient(f"The signing key gave no signature: {fault}.") from fault
        keys.check_signature(self._identity.public_key, signature, data)
        return signature

    def sign(self, source: Path, destination: Path, provenance: Provenance) -> None:
        """Writes `source` with credentials to `destination`, whole or not at all.

        Raises CredentialsError where another try would fail the same way (chain, key, manifest, file), Transient
        where it may not (disk, time-stamp server, key service). An EngineError of the key's callback passes.
        """
        _check_request(source, destination, provenance)
        # The native library asks the machine's clock; a clock of the caller's could only disagree with it.
        chain.check_valid(self._identity, datetime.now(UTC))
        # Opened plainly, not as a private temporary file: the web server reads what the process wrote.
        part = destination.with_name(f".{destination.name}.{secrets.token_hex(8)}.part")
        try:
            self._write(source, part, provenance)
            part.replace(destination)
        except OSError as fault:
            raise Transient(f"The signed file could not be written: {fault.strerror or fault}.") from fault
        finally:
            part.unlink(missing_ok=True)

    def _write(self, source: Path, part: Path, provenance: Provenance) -> None:
        call = _Call(self._signature)
        with _source(source) as (source_disk, reading):
            part_disk, writing = disk.writing(part)
            with writing:
                try:
                    _refuse_signed(reading, provenance.media_type)
                    self._build(call, reading, writing, provenance)
                except c2pa.C2paError as refusal:
                    for cause in (call.fault, part_disk.fault, source_disk.fault):
                        if cause is not None:
                            raise cause  # noqa: B904 - it came first; the refusal only follows from it
                    raise self._explained(refusal, call) from refusal

    def _build(self, call: _Call, reading: BinaryIO, writing: BinaryIO, provenance: Provenance) -> None:
        algorithm = c2pa.C2paSigningAlg.ES256
        with (
            c2pa.Context.from_dict(_QUIET) as context,
            c2pa.Builder(definition(provenance), context) as builder,
            c2pa.Signer.from_callback(call, algorithm, self._certificates, self._ta_url) as signer,
        ):
            for index, ingredient in enumerate(provenance.ingredients):
                _add_signed(builder, ingredient, index)
            builder.sign(signer, provenance.media_type, reading, writing)

    def _explained(self, refusal: c2pa.C2paError, call: _Call) -> EngineError:
        if self._ta_url and isinstance(refusal, c2pa.C2paError.Signature):
            return Transient(f"The time-stamp server gave no usable time stamp ({refusal}).")
        if not call.asked:
            return CredentialsError(f"The file or what is said about it cannot be signed ({refusal}).")
        return CredentialsError(f"The signed file would not be valid ({refusal}).")


class _Call:
    """The key's callback: keeps the fault, which the native library would drop."""

    def __init__(self, sign: keys.Sign) -> None:
        self.asked = False
        self.fault: EngineError | None = None
        self._sign = sign

    def __call__(self, data: bytes) -> bytes:
        self.asked = True
        try:
            return self._sign(data)
        except EngineError as fault:
            self.fault = fault
            return b""  # the library logs what a callback raises; an empty answer fails in silence


def _check_request(source: Path, destination: Path, provenance: Provenance) -> None:
    if provenance.media_type not in MEDIA_TYPES:
        raise CredentialsError(f"Files of type {provenance.media_type} are not signed.")
    # Opening the destination empties it: signing in place would leave nothing of the source.
    if destination.exists() and source.exists() and destination.samefile(source):
        raise CredentialsError("A file cannot be signed in place; give another destination.")


@contextlib.contextmanager
def _source(path: Path) -> Iterator[tuple[disk.Disk, BinaryIO]]:
    try:
        opened, reading = disk.reading(path)
    except OSError as fault:
        raise CredentialsError(f"{path.name} could not be opened: {fault.strerror}.") from fault
    with reading:
        yield opened, reading


def _refuse_signed(reading: BinaryIO, media_type: str) -> None:
    """Signing again would drop the old manifest without a word; what is signed belongs among the ingredients."""
    with c2pa.Context.from_dict(_UNCHECKED) as context:
        reader = c2pa.Reader.try_create(media_type, reading, None, context)
    if reader is not None:
        reader.close()
        raise CredentialsError(
            "The file has credentials already; name it as an ingredient of what is made from it."
        )
    reading.seek(0)


def _add_signed(builder: Any, ingredient: Ingredient, index: int) -> None:
    if ingredient.path is not None:
        with _source(ingredient.path) as (_, reading):
            builder.add_ingredient(ingredient_definition(ingredient, index), ingredient.media_type, reading)

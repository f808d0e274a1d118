"""Where a file is from, for anybody: what its Content Credentials say, and whether it is one of ours.

The forensic mark is not looked at. Whoever could ask whether it is there could try until it is not.
"""

from __future__ import annotations

import logging
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.errors import Invalid, NotFound, NotYet
from delivery import signers
from delivery.places import Places
from generation.credentials.child import FileRead, read_apart
from generation.credentials.claims import EXPIRED
from generation.errors import Transient
from generation.queries.files import is_ours
from generation.services import files, stowing
from review import queries as review
from review.queries import Approval

MOST_BYTES: Final = 200 * 1000**2
TOO_LARGE: Final = f"A file to check has at most {MOST_BYTES // 1000**2} MB."
_SHARE: Final = re.compile(r"/?(?:s/)?(s_[A-Za-z0-9]{6,60})(?:/.*)?")
_places = Places(  # each may take a processor and two gigabytes
    2,
    each=1,
    taken="Others are having files checked.",
    yours="Another file from your address is being checked.",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signer:
    """Of a signature that holds.

    `ours`: the certificate itself is one that we list, and nothing but its age speaks against it. `expired`: it has run
    out, and no time stamp that we believe says that it signed before. `until`: how long it holds, None where it could
    not be looked at.
    """

    ours: bool
    expired: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Checked:
    """`approval` is of this very file: None where it was never on view. `signer`: None where no signature holds."""

    sha256: str
    bytes: int
    credentials: FileRead
    ours: bool
    approval: Approval | None
    signer: Signer | None = None


def check_file(file: BinaryIO, *, now: datetime) -> Checked:
    """Look into a file that may be anything; nothing of it is kept. Call it, and take the file apart, in a `place`.

    Raises Invalid with the field `file` (file_too_large, file_empty), NotYet (unavailable). Three statements at most.
    """
    with stowing.folder() as folder:
        path = folder / "file"
        sha256, length = stowing.receive(file, path, most=MOST_BYTES, sentence=TOO_LARGE)
        return _checked(path, sha256, length, now)


def check_share(address: str, *, now: datetime) -> Checked:
    """The same of the video at a share's address, whole or only its last part. Call it in a `place`.

    Raises Invalid with the field `share`, NotFound for what never was one, NotYet. Five statements at most.
    """
    copy = review.granted_copy(_share_of(address.strip()), "mp4")
    if copy is None:
        raise NotFound("not_found", "There is no such share.")
    approval = review.approval_of(copy.sha256, now=now)
    if approval is None or not approval.active or copy.removed:
        return Checked(copy.sha256, copy.bytes, FileRead("gone"), True, approval)
    read, signer = _read(files.store().path(copy.storage_key))
    return Checked(copy.sha256, copy.bytes, read, True, approval, signer)


def _share_of(address: str) -> str:
    """The public id in a share's address. One on another host may show anything under it: nothing is said of that."""
    whole = "://" in address or "/" not in address or address.startswith(("/", "s/", "s_"))
    try:
        parts = urlsplit(address if whole else f"//{address}")
    except ValueError:  # brackets that are no address
        parts = urlsplit("")
    house = urlsplit(settings.BASE_URL).netloc.lower()
    if parts.netloc and parts.netloc.lower() != house:
        sentence = f"This is not an address of this house, which is {house}. Of other places nothing can be said here."
        raise Invalid("not_our_address", sentence, fields={"share": sentence})
    if found := _SHARE.fullmatch(parts.path):
        return found[1]
    sentence = "Give the address of a share, such as the one in your browser when a clip plays."
    raise Invalid("invalid_request", sentence, fields={"share": sentence})


def place(address: str) -> AbstractContextManager[None]:
    """One of the few at which a file is read, one for each address that asks. Entering it raises NotYet (busy)."""
    return _places.one(address)


def _checked(path: Path, sha256: str, length: int, now: datetime) -> Checked:
    approval = review.approval_of(sha256, now=now)
    read, signer = _read(path)
    return Checked(sha256, length, read, approval is not None or is_ours(sha256), approval, signer)


def _read(path: Path) -> tuple[FileRead, Signer | None]:
    """`trusted` is what we have signed. What somebody else has under a root that we trust is `valid`."""
    try:
        own = signers.own()
        read = read_apart(path, own.anchors if own else None)
    except (ImproperlyConfigured, Transient) as fault:
        logger.exception("files cannot be checked")
        sentence = "Files cannot be checked at the moment. The fault is ours, and we have been told."
        raise NotYet("unavailable", sentence, retry_after=60) from fault
    if read.state not in {"trusted", "valid"}:
        return read, None
    listed = own is not None and own.signed_with(read.certificate)
    if read.state == "trusted" and not listed:
        read = replace(read, state="valid")
    expired = EXPIRED in read.failures
    until = read.certificate.not_after if read.certificate else None
    return read, Signer(listed and (read.state == "trusted" or expired), expired, until)

"""What is said about the files of a clip, and who signs it."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.module_loading import import_string

from core.version import VERSION
from generation.errors import EngineError, Transient
from generation.queries.told import Told
from generation.services.marks import Issued
from generation.states import Relation

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from generation.credentials.manifest import Ingredient, Relationship
    from generation.credentials.signer import Signer
    from generation.pipeline import Sign

_PAUSES: Final = (1.0, 4.0, 15.0)  # seconds
_OURS: Final = "urn:private-view:"
_STAYS: Final = "parentOf"  # its pictures are still there
_LOOKED_AT: Final = "inputTo"
_RELATIONSHIPS: Final[dict[str, Relationship]] = {
    Relation.EXTEND: _STAYS,
    Relation.REMIX: _LOOKED_AT,
    Relation.FINAL: _LOOKED_AT,
}


def signer() -> Signer:
    """Who signs for this process. Raises EngineError with what to set."""
    if not settings.C2PA_CHAIN or not (settings.C2PA_KEY or settings.C2PA_SIGN):
        raise EngineError(
            "PRIVATE_VIEW_C2PA_CHAIN and PRIVATE_VIEW_C2PA_KEY are not set: no file could carry Content Credentials. "
            "`manage.py make_c2pa_chain FOLDER` makes a chain of your own."
        )
    return _signer(settings.C2PA_CHAIN, settings.C2PA_KEY, settings.C2PA_SIGN, settings.C2PA_TIMESTAMP_URL)


def sign_for(clip: Told, issued: Issued) -> Sign:
    """Signs the files of that clip; called for each of them, after its last byte has been written.

    Where the time-stamp server or the key's service does not answer, it is asked again: a render took minutes to make.
    """
    from generation.credentials.manifest import Provenance

    who, ingredients = signer(), _ingredients(clip)

    def sign(source: Path, destination: Path, media_type: str, readable: bool) -> None:
        told = Provenance(
            title=f"Clip {clip.code}",
            media_type=media_type,
            model=clip.model,
            variant=clip.variant,
            software=VERSION,
            mark_digest=digest(issued) if readable else None,
            ingredients=ingredients,
            author=clip.author,
        )
        for pause in _PAUSES:
            try:
                who.sign(source, destination, told)
            except Transient as fault:
                logger.warning("%s is not signed yet: %s", destination.name, fault)
                time.sleep(pause)
            else:
                return
        who.sign(source, destination, told)

    return sign


def digest(issued: Issued) -> bytes:
    """HMAC of a mark's number under the key of its epoch: who has that can tell whether a number fits, nobody else."""
    number = issued.forensic.number.to_bytes(4, "big")
    return hmac.digest(issued.forensic.key, b"soft binding " + number, hashlib.sha256)


def _ingredients(clip: Told) -> tuple[Ingredient, ...]:
    from generation.credentials.manifest import Ingredient

    found = []
    relationship = _RELATIONSHIPS.get(clip.relation)
    if relationship and clip.source_code:
        found.append(
            Ingredient(f"Clip {clip.source_code}", relationship, "video/mp4", f"{_OURS}{clip.source}")
        )
    if clip.picture and relationship != _STAYS:
        found.append(Ingredient("Picture to start from", _LOOKED_AT, "image/png", f"{_OURS}{clip.picture}"))
    return tuple(found)


@lru_cache(maxsize=2)
def _signer(chain: str, key: str, callback: str, timestamp_url: str) -> Signer:
    from generation.credentials import keys
    from generation.credentials.signer import Signer

    try:
        certificates = Path(chain).read_bytes()
        sign = import_string(callback) if callback else keys.local_key(Path(key).read_bytes())
    except (OSError, ImportError) as fault:
        raise EngineError(f"The Content Credentials cannot be signed: {fault}.") from fault
    return Signer(certificates, sign, ta_url=timestamp_url or None)

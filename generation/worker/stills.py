"""Single frames of clips: marked and signed for their artist to look at, sealed for renders to start from."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core import clock
from generation import keys
from generation.errors import SpecRejected, Transient
from generation.queries.told import told
from generation.services import credentials, files, stills
from generation.services.files import StoredFile
from generation.services.stills import Job
from generation.spec import CopyMark, VisibleMark
from generation.worker import scratch, sources
from generation.worker.leaving import leaving

if TYPE_CHECKING:
    from generation.spec import MarkStyle

logger = logging.getLogger(__name__)


def drain() -> int:
    """Make what waits, and say how many pictures were taken up. Whatever one meets, the others have their turn."""
    taken = 0
    while not leaving.wanted and _has_keys() and stills.unmade().exists():
        taken += 1
        try:
            if (job := stills.next_job(now=clock.now())) is not None:
                make(job)
        except Exception:
            logger.exception("a frame could not be made")
    return taken


def _has_keys() -> bool:
    """A worker without keys makes no picture, and must not use up the tries of any."""
    try:
        keys.ring()
    except keys.NoKey:
        logger.exception("no frame can be made")
        return False
    return True


def native_of(reference: str) -> StoredFile:
    """The sealed frame that a render starts from, made now if it is not there. SpecRejected when it cannot be."""
    if (found := stills.native_of(reference)) is not None:
        return found
    job = stills.job(reference, now=clock.now())
    if job is not None:
        try:
            make(job)
        except Transient:
            logger.exception("frame %s could not be made", job.reference)
    if (found := stills.native_of(reference)) is not None:
        return found
    raise SpecRejected(
        "file_gone", "The frame that this clip starts from is gone, or cannot be read any more."
    )


def make(job: Job) -> bool:
    """False when it was made by somebody else meanwhile: then nothing of ours is left."""
    from generation.media import marking
    from generation.media import stills as pictures

    with scratch.folder() as name:
        folder = Path(name)
        with sources.opened(job.source, folder).open("rb") as film:
            image = pictures.frame_at(film, job.frame)
        native, sealed = folder / "frame.png", folder / "frame.sealed"
        native.write_bytes(pictures.still(image).png)
        sources.seal_for(job.epoch)(native, sealed)
        mark = CopyMark(
            VisibleMark(programme=job.mark_text, code=job.code),
            cast("MarkStyle", job.style),
            job.issued.forensic if job.issued else None,
        )
        shown, signed = folder / "shown.png", folder / "signed.png"
        shown.write_bytes(pictures.still(marking.marked(image, mark)).png)
        if job.issued is not None:
            credentials.sign_for(told(job.video), job.issued)(shown, signed, "image/png", True)
        else:
            shown.replace(signed)
        kept = [_stored(path, job.reference) for path in (signed, sealed)]
        try:
            files.store().put_all({one.key: path for one, path in zip(kept, (signed, sealed), strict=True)})
        except OSError as fault:
            raise Transient(f"the store refused: {fault}") from fault
        size = signed.stat().st_size
    if stills.finish(job=job, shown=kept[0], size=size, native=kept[1], now=clock.now()):
        return True
    for one in kept:
        files.store().delete(one.key)
    return False


def _stored(path: Path, folder: str) -> StoredFile:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return StoredFile(f"{folder}/{sha256}{path.suffix}", sha256)

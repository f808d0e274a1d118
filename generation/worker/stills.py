"""Single frames of clips: marked and signed for their artist to look at, sealed for renders to start from."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core import clock
from generation import keys
from generation.errors import SpecRejected, Transient
from generation.keys import NoKey
from generation.queries.told import told
from generation.services import credentials, files, scratch, stills
from generation.services.files import StoredFile
from generation.services.stills import Job
from generation.spec import CopyMark, VisibleMark
from generation.worker import signing, sources
from generation.worker.leaving import leaving
from generation.worker.sources import SourceGone
from generation.worker.writing import surely

if TYPE_CHECKING:
    from generation.spec import MarkStyle

logger = logging.getLogger(__name__)


def drain() -> int:
    """Make what waits, and say how many pictures were taken up. Whatever one meets, the others have their turn."""
    taken = 0
    if not _has_keys() or not signing.possible():
        return 0
    while not leaving.wanted and (job := stills.next_job(now=clock.now())) is not None:
        taken += 1
        try:
            _try(job)
        except Exception:
            logger.exception("frame %s could not be made", job.reference)
    return taken


def _has_keys() -> bool:
    """A worker without any makes no picture."""
    try:
        keys.ring()
    except NoKey:
        logger.exception("no frame can be made")
        return False
    return True


def native_of(reference: str) -> StoredFile:
    """The sealed frame that a render starts from, made now if it is not there.

    Raises SpecRejected where it cannot be made, Transient where it may be in a while.
    """
    if (found := stills.native_of(reference)) is None:
        job = stills.job(reference, now=clock.now())
        if job is not None:
            try:
                _try(job)
            except SourceGone:
                logger.exception("frame %s cannot be made", reference)
            except NoKey as fault:  # another worker may have it
                raise Transient(str(fault)) from fault
        found = stills.native_of(reference)
    if found is None:
        raise SpecRejected(
            "file_gone", "The frame that this clip starts from is gone, or cannot be read any more."
        )
    return found


def _try(job: Job) -> bool:
    """One try, whose end is written down. False when it was made by somebody else meanwhile."""
    try:
        return make(job)
    except Exception as fault:
        end = partial(
            stills.fail,
            job=job,
            passing=not isinstance(fault, SourceGone),
            counts=not isinstance(fault, NoKey),
            now=clock.now(),
        )
        surely(end)
        raise


def make(job: Job) -> bool:
    """False when it was made by somebody else meanwhile: then nothing of ours is left."""
    from generation.media import marking
    from generation.media import stills as pictures

    issued, epoch = job.issued(), keys.ring().epoch_at(clock.now())
    with scratch.folder() as name:
        folder = Path(name)
        with sources.opened(job.source, folder).open("rb") as film:
            image = pictures.frame_at(film, job.frame)
        native, sealed = folder / "frame.png", folder / "frame.sealed"
        native.write_bytes(pictures.still(image).png)
        sources.seal_for(epoch)(native, sealed)
        mark = CopyMark(
            VisibleMark(programme=job.mark_text, code=job.code),
            cast("MarkStyle", job.style),
            issued.forensic if issued else None,
        )
        shown, signed = folder / "shown.png", folder / "signed.png"
        shown.write_bytes(pictures.still(marking.marked(image, mark)).png)
        if issued is not None:
            credentials.sign_for(told(job.video), issued)(shown, signed, "image/png", True)
        else:
            shown.replace(signed)
        return _kept(job, signed, sealed)


def _kept(job: Job, shown: Path, native: Path) -> bool:
    try:
        files.store().put_all({job.shown_key: shown, job.native_key: native})
    except OSError as fault:
        raise Transient(f"the store refused: {fault}") from fault
    sealed = StoredFile(job.native_key, _digest(native))
    end = partial(
        stills.finish,
        job=job,
        shown=StoredFile(job.shown_key, _digest(shown)),
        size=shown.stat().st_size,
        native=sealed,
        now=clock.now(),
    )
    if surely(end, written=lambda: stills.native_of(job.reference) == sealed):
        return True
    for key in (job.shown_key, job.native_key):
        files.store().delete(key)
    return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return files.digest(file)

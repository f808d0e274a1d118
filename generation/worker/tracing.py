"""Files that somebody asks about, one after the other, each read in a process of its own."""

from __future__ import annotations

import logging
import shutil
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connection

from core import clock
from generation.errors import SpecRejected
from generation.keys import NoKey
from generation.services import files, scratch, traces, tracing
from generation.services.traces import Job
from generation.worker.leaving import leaving
from generation.worker.pulse import pulse
from generation.worker.writing import surely

logger = logging.getLogger(__name__)

_BEAT: Final = 2.0  # seconds between two looks at whether somebody still waits
_GIVE_KEY: Final = "Give the tracing worker the file of keys that holds it, then send this file again."
_FAULT: Final = "A fault of ours: the file could not be looked into. We have been told. Send it again."


def drain() -> int:
    """Look into what waits, and say how many files were taken up."""
    from generation.forensic.trace import Stopped

    taken = 0
    while not leaving.wanted and (job := traces.claim_next(now=clock.now())) is not None:
        taken += 1
        try:
            _run(job)
        except SpecRejected as refusal:
            surely(partial(traces.refuse, job=job, sentence=refusal.sentence, now=clock.now()))
        except Stopped:
            logger.info("trace %d was stopped, or this worker has to leave", job.trace)
            if leaving.overdue > 0:
                surely(partial(traces.hand_back, job=job))
        except (OperationalError, InterfaceError):
            logger.exception("trace %d lost the database, and begins anew", job.trace)
            surely(partial(traces.hand_back, job=job, counts=True))
        except NoKey as fault:
            logger.exception("trace %d needs a key that this worker has not", job.trace)
            surely(partial(traces.fail, job=job, sentence=f"{fault} {_GIVE_KEY}", now=clock.now()))
        except Exception:
            logger.exception("trace %d failed", job.trace)
            surely(partial(traces.fail, job=job, sentence=_FAULT, now=clock.now()))
    return taken


def _run(job: Job) -> None:
    with (
        scratch.folder() as name,
        pulse.keeping(lambda: traces.prolong(job=job, now=clock.now()), every=_BEAT) as beat,
    ):
        suspect = Path(name) / "suspect.bin"
        with files.store().open(job.storage_key) as stored, suspect.open("xb") as copy:
            shutil.copyfileobj(stored, copy, 1 << 20)
        answer = tracing.trace(
            suspect,
            by=job.asked_by,
            now=clock.now(),
            programme=job.programme,
            progress=partial(_tell, job),
            stopped=beat.stopped,
        )
    _finish(job, answer)


def _tell(job: Job, done: int, total: int, stage: str) -> None:
    """Where the database is away for a moment, the next step is told."""
    try:
        traces.tell(job=job, done=done, total=total, stage=stage)
    except (OperationalError, InterfaceError):
        logger.warning("how far trace %d is could not be told", job.trace)
        connection.close()


def _finish(job: Job, answer: tracing.Answer) -> None:
    pictures = traces.keep(job=job, pictures=answer.reading.pictures if answer.copies else {})
    end = partial(
        traces.finish,
        job=job,
        numbers=[named.number for named, _ in answer.copies],
        reading=_plain(answer),
        pictures=pictures,
        now=clock.now(),
    )
    if not surely(end, written=lambda: traces.has_finished(job=job, pictures=pictures)):
        for key in pictures.values():
            files.store().delete(key)


def _plain(answer: tracing.Answer) -> dict[str, Any]:
    """Without a score where nothing was named: below the threshold there is nothing to tell."""
    reading = answer.reading
    return {
        "words": tracing.told(answer),
        "elsewhere": answer.elsewhere,
        "strangers": reading.strangers,
        "pool": reading.pool,
        "alignments": reading.alignments,
        "frames": reading.frames,
        "stage": reading.stage,
        "controls": [round(control, 1) for control in reading.controls],
        "copies": [
            {
                "number": f"{named.number:08x}",
                "z": round(named.z, 1),
                "bound": int(named.log10_bound),
                "finding": named.finding,
                "purpose": copy.purpose_words,
                "video": copy.video,
                "code": copy.code,
                "made_at": copy.made_at.isoformat(),
            }
            for named, copy in answer.copies
        ],
    }

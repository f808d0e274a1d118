"""Copies of a rendered clip, as services and workers take them up."""

from __future__ import annotations

from datetime import datetime, timedelta

from audit import outbox
from core import clock
from generation.models import Copy, Master
from generation.services import copies, files
from generation.services.copyjobs import Job
from generation.states import Purpose

LATER = copies.LEASE + timedelta(seconds=1)


def order(master: Master, recipient: str = "user:one", purpose: Purpose = Purpose.SCREENING) -> Copy:
    ask(master, recipient, purpose)
    return Copy.objects.get(master=master, purpose=purpose, recipient=recipient)


def ask(master: Master, recipient: str = "user:one", purpose: Purpose = Purpose.SCREENING) -> None:
    """The order alone, whether a copy comes of it or not."""
    copies.order(master=master.pk, purpose=purpose, recipient=recipient, now=clock.now())


def waiting(master: Master, recipient: str, asked_at: datetime) -> Copy:
    """As if it had been ordered then, also of a clip whose frames are not marked."""
    return Copy.objects.create(
        master=master, purpose=Purpose.SCREENING, recipient=recipient, style="plate", asked_at=asked_at
    )


def claim(now: datetime) -> Job:
    job = copies.claim_next(now=now)
    assert job is not None
    return job


def stored(master: Master) -> set[str]:
    """Names of the files of the clip, after everything that is due has been removed."""
    outbox.deliver_due(now=clock.now() + timedelta(days=1))
    folder = files.store().path(f"{master.video.public_id}/x.mp4").parent
    return {path.name for path in folder.glob("*")}

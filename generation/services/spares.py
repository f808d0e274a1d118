"""Copies that are made before anybody asks: how they look and whom they name, who gets one, and when nobody may."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from audit import outbox
from generation.models import Copy, Mark, Master, Rendition
from generation.services.files import PURGE, purge
from generation.states import CopyState, Purpose


def hold(master: int) -> bool:
    """One at a time for each clip, as long as it has frames to make copies from, and copies can be told apart."""
    rows = Master.objects.select_for_update(no_key=True).filter(pk=master).exclude(source_key="")
    rows = rows.filter(Exists(Mark.objects.filter(master=OuterRef("pk"), purpose=Purpose.MASTER)))
    return rows.values_list("pk").first() is not None


class Look(NamedTuple):
    """How the files of a copy would be made today: the style of the visible mark, and whom they name."""

    style: str
    author: str


def author(membership: str) -> Case:
    """The artist's public name, where they wish it to be told."""
    credited = {f"{membership}__credited": True}
    return Case(When(**credited, then=F(f"{membership}__user__public_name")), default=Value(""))


def look_of(master: int, purpose: Purpose) -> Look:
    membership = "video__membership"
    name = "public_mark_style" if purpose == Purpose.PUBLIC else "mark_style"
    columns = (f"{membership}__programme__{name}", author(membership))
    return Look(*Master.objects.values_list(*columns).get(pk=master))


def is_as(copy: Copy, look: Look) -> bool:
    """Whom it names is settled when it is made."""
    return copy.state in (CopyState.WAITING, CopyState.FAILED) or copy.author == look.author


def take_back(row: Copy, now: datetime) -> None:
    """Its files go, also those of a worker that is at it; its number stays. `row` and its Master are locked."""
    renditions = Rendition.objects.filter(mark=row.mark, mark__isnull=False, removed_at=None)
    names = list(renditions.values_list("storage_key", flat=True))
    renditions.update(removed_at=now)
    purge(row.master.video.public_id, row.lease_token, now=now)
    if names:
        outbox.add(topic=PURGE, payload={"keys": names}, now=now)
    row.made_at = None


def spares_of(master: int, look: Look) -> QuerySet[Copy]:
    """Those that may be handed out: not what was found somewhere already, when nobody had been given it."""
    rows = Copy.objects.filter(master_id=master, purpose=Purpose.SPARE, style=look.style, found_at=None)
    return rows.filter(Q(state__in=[CopyState.WAITING, CopyState.FAILED]) | Q(author=look.author))


def found(numbers: Collection[int], now: datetime) -> None:
    """These were read in a file. Of those that are nobody's yet, nobody shall get one."""
    Copy.objects.filter(mark__number__in=numbers, purpose=Purpose.SPARE, found_at=None).update(found_at=now)


def hand_out(master: int, purpose: Purpose, recipient: str, look: Look, now: datetime) -> Copy | None:
    """One that is ready before one that is not, and none that rests. Its Mark learns whose it is in the same moment."""
    rows = spares_of(master, look).exclude(state=CopyState.FAILED, retry_at__gt=now)
    rows = rows.order_by(Case(When(state=CopyState.READY, then=0), default=1), "pk")
    spare = rows.select_for_update(of=("self",)).first()
    if spare is None:
        return None
    spare.purpose, spare.recipient = purpose, recipient
    spare.handed_at = now if spare.state == CopyState.READY else None  # made for somebody from now on
    spare.save(update_fields=["purpose", "recipient", "handed_at"])
    if spare.mark_id is not None:
        Mark.objects.filter(pk=spare.mark_id).update(purpose=purpose, recipient=recipient)
    return spare

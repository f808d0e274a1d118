"""Numbers for copies: random, never twice, each under the key of its time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError

from generation import keys
from generation.models import Copy, Mark

if TYPE_CHECKING:
    from generation.spec import ForensicMark


@dataclass(frozen=True, slots=True)
class Issued:
    """A number for the frames of one copy, with what it takes to put it there. It counts once it stands in a Mark."""

    forensic: ForensicMark
    codeword: bytes
    epoch: str


def issue(*, now: datetime) -> Issued:
    """A number for a copy that is about to be made. Raises NoKey in a process that was not given the keys."""
    from generation.forensic.code import NUMBERS, code_of
    from generation.spec import ForensicMark

    epoch = keys.ring().epoch_at(now)
    key = keys.ring().key_of(epoch)
    number = secrets.randbelow(NUMBERS)
    while _taken(number):
        number = secrets.randbelow(NUMBERS)
    return Issued(ForensicMark(number, key), code_of(key).codeword(number), epoch)


def keep(issued: Issued, *, copy: Copy, now: datetime) -> Mark:
    """The number is that copy's from now on: call it before any file that bears it can be stored."""
    return Mark.objects.create(
        number=issued.forensic.number,
        codeword=issued.codeword,
        master_id=copy.master_id,
        purpose=copy.purpose,
        recipient=copy.recipient,
        key_epoch=issued.epoch,
        made_at=now,
    )


def issued_as(mark: Mark) -> Issued:
    """A number once more, under the key that it was issued under. Raises NoKey where this process has not that key."""
    from generation.spec import ForensicMark

    forensic = ForensicMark(mark.number, keys.ring().key_of(mark.key_epoch))
    return Issued(forensic, bytes(mark.codeword), mark.key_epoch)


def _taken(number: int) -> bool:
    """Whether a copy has it. A database that is away must not cost a render: the constraint looks once more."""
    try:
        return Mark.objects.filter(number=number).exists()
    except (OperationalError, InterfaceError):
        return False

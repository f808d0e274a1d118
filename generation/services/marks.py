"""Numbers for copies: random, never twice, each under the key of its time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError

from generation import keys
from generation.keys import NoKey
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

    forensic = ForensicMark(mark.number, key_of(mark.key_epoch, mark.number, mark.codeword))
    return Issued(forensic, bytes(mark.codeword), mark.key_epoch)


def key_of(epoch: str, number: int, codeword: bytes | memoryview[int]) -> bytes:
    """The key of an epoch, once it has been seen to give that number its codeword. Raises NoKey.

    Another key of the same name would mark what nobody could trace, and trace nothing that was marked.
    """
    from generation.forensic.code import code_of

    key = keys.ring().key_of(epoch)
    if code_of(key).codeword(number) != bytes(codeword):
        raise NoKey(
            f"The key of the epoch {epoch} in the file of keys is not the one that its marks were made under."
        )
    return key


def check_keys() -> None:
    """One mark of every epoch against its key. Raises NoKey where the file holds another key under a name; what it does
    not hold at all is told when it is needed. One statement."""
    ring = keys.ring()
    rows = Mark.objects.order_by("key_epoch", "-id").distinct("key_epoch")
    for epoch, number, codeword in rows.values_list("key_epoch", "number", "codeword"):
        if ring.knows(epoch):
            key_of(epoch, number, codeword)


def _taken(number: int) -> bool:
    """Whether a copy has it. A database that is away must not cost a render: the constraint looks once more."""
    try:
        return Mark.objects.filter(number=number).exists()
    except (OperationalError, InterfaceError):
        return False

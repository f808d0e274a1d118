"""Numbers for copies: random, never twice, each under the key of its time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError

from generation import keys
from generation.models import Mark

if TYPE_CHECKING:
    from generation.spec import ForensicMark


@dataclass(frozen=True, slots=True)
class Issued:
    """A number that no copy has yet. It counts once it stands in a Mark, in the transaction that keeps the copy."""

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


def _taken(number: int) -> bool:
    """Whether a copy has it. A database that is away must not cost a render: the constraint looks once more."""
    try:
        return Mark.objects.filter(number=number).exists()
    except (OperationalError, InterfaceError):
        return False

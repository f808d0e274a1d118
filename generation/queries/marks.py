"""Which numbers were issued, and which copy is which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from generation.models import Mark


class IssuedMark(NamedTuple):
    number: int
    codeword: bytes
    programme: int


@dataclass(frozen=True, slots=True)
class CopyView:
    """A copy of a clip, without whom it was made for: that is told after a second operator has confirmed."""

    number: int
    purpose: str
    purpose_words: str
    video: str
    code: str
    made_at: datetime
    programme: int
    handed_at: datetime | None = None
    """When it became somebody's, where it was made ahead."""


def issued() -> dict[str, list[IssuedMark]]:
    """Every mark of the house, by the epoch of its key. One statement."""
    columns = ("key_epoch", "number", "codeword", "master__video__membership__programme")
    rows = Mark.objects.order_by("id").values_list(*columns)
    found: dict[str, list[IssuedMark]] = {}
    for epoch, number, codeword, programme in rows.iterator(chunk_size=10_000):
        found.setdefault(epoch, []).append(IssuedMark(number, bytes(codeword), programme))
    return found


def recipients(numbers: Iterable[int]) -> dict[int, str]:
    """For whom those copies were made, as actors. To be told once a second person has confirmed. One statement."""
    return dict(Mark.objects.filter(number__in=list(numbers)).values_list("number", "recipient"))


def copies(numbers: Iterable[int]) -> dict[int, CopyView]:
    """The copies with these numbers. One statement."""
    rows = Mark.objects.filter(number__in=list(numbers)).select_related("master__video__membership", "copy")
    return {
        row.number: CopyView(
            row.number,
            row.purpose,
            row.get_purpose_display(),
            row.master.video.public_id,
            row.master.video.code,
            row.made_at,
            row.master.video.membership.programme_id,
            row.copy.handed_at if hasattr(row, "copy") else None,
        )
        for row in rows
    }

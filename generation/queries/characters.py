"""A member's characters with their pictures. Nobody else's are ever found here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from generation.models import Character, CharacterPicture
from generation.queries.references import ReferenceView, reference_view


@dataclass(frozen=True, slots=True)
class CharacterView:
    """`pictures` in their order; a clip starts from the first unless another one is named."""

    id: int
    public_id: str
    name: str
    pictures: tuple[ReferenceView, ...]
    created_at: datetime


def own_characters(membership_id: int) -> list[CharacterView]:
    """By name. Two statements."""
    return _views(Character.objects.filter(membership_id=membership_id, removed_at=None))


def own_character(public_id: str, membership_id: int) -> CharacterView | None:
    """A member's own character that is not removed. Two statements."""
    rows = Character.objects.filter(membership_id=membership_id, removed_at=None, public_id=public_id)
    return next(iter(_views(rows)), None)


def _views(rows: QuerySet[Character]) -> list[CharacterView]:
    found = list(rows.order_by("name", "id"))
    pictures = _pictures(row.pk for row in found)
    return [
        CharacterView(row.pk, row.public_id, row.name, tuple(pictures.get(row.pk, ())), row.created_at)
        for row in found
    ]


def _pictures(character_ids: Iterable[int]) -> dict[int, list[ReferenceView]]:
    entries = CharacterPicture.objects.filter(character__in=list(character_ids))
    found: dict[int, list[ReferenceView]] = {}
    for entry in entries.select_related("reference__source").order_by("character", "position"):
        found.setdefault(entry.character_id, []).append(reference_view(entry.reference))
    return found

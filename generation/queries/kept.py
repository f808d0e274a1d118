"""How often a style or a variant gives something that is kept: "3 of 40 kept"."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from generation.models import Video
from generation.states import OPEN, Relation, VideoState


@dataclass(frozen=True, slots=True)
class HitRate:
    """`kept` of the `made` clips. `key` is a variant's slug or a style's public id, empty for clips without a style."""

    key: str
    name: str
    kept: int
    made: int


@dataclass(frozen=True, slots=True)
class HitRates:
    """Most used first."""

    variants: tuple[HitRate, ...]
    styles: tuple[HitRate, ...]


def hit_rates(membership_id: int) -> HitRates:
    """A member's hit rates by variant and by style. Two statements.

    Made is every clip that rendered, deleted ones too. Kept is what has a star and was not deleted, and what a final
    was made from, or is being made.
    """
    return HitRates(
        variants=_rates(membership_id, "variant__slug", "variant__name"),
        styles=_rates(membership_id, "style__public_id", "style__name"),
    )


def _rates(membership_id: int, key: str, name: str) -> tuple[HitRate, ...]:
    rows = _made(membership_id).values_list(key, name)
    counted = rows.annotate(kept=Count("id", filter=Q(is_kept=True)), made=Count("id"))
    found = counted.order_by(F("made").desc(), name, key)
    return tuple(HitRate(key or "", name or "", kept, made) for key, name, kept, made in found)


def _made(membership_id: int) -> QuerySet[Video]:
    finals = Video.objects.filter(
        source=OuterRef("pk"),
        relation=Relation.FINAL,
        state__in=[*OPEN, VideoState.COMPLETED],
        deleted_at=None,
    )
    kept = Q(starred_at__isnull=False, deleted_at=None) | Exists(finals)
    made = Video.objects.filter(membership_id=membership_id, state=VideoState.COMPLETED)
    return made.alias(is_kept=kept)

"""What a programme renders with, and who of it with what."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from generation.models import ModelVariant
from generation.queries.views import VariantView, variant_view
from programme.queries import MembershipView


def variants(programme_id: int) -> list[VariantView]:
    """All that a programme's artists render with, the default first, whatever the cohort. One statement."""
    rows = ModelVariant.objects.filter(programme_id=programme_id, enabled=True).order_by("position", "slug")
    return [variant_view(row) for row in rows]


def usable_variants(member: MembershipView) -> list[VariantView]:
    """What a member may render with, the default first: open to all, or to their cohort. One statement."""
    return [variant_view(row) for row in variants_open_to(member.programme.id, member.cohort_id)]


def variants_open_to(programme_id: int, cohort_id: int) -> QuerySet[ModelVariant]:
    """Variants that are enabled and name no cohort, or that one; in the order of lists."""
    named = ModelVariant.cohorts.through._base_manager.filter(modelvariant=OuterRef("pk"))
    to_cohort = ~Exists(named) | Exists(named.filter(cohort=cohort_id))
    rows = ModelVariant.objects.filter(to_cohort, programme_id=programme_id, enabled=True)
    return rows.order_by("position", "slug")

"""What a programme renders with, and who of it with what."""

from __future__ import annotations

from generation.models import ModelVariant
from generation.queries.views import VariantView, variant_view
from programme.queries import MembershipView

# Written by hand: every order asks it.
_OPEN_TO = """
    SELECT v.* FROM generation_modelvariant v
    LEFT JOIN LATERAL (
        SELECT bool_or(c.cohort_id = %(cohort)s) AS ours
        FROM generation_modelvariant_cohorts c WHERE c.modelvariant_id = v.id
    ) named ON true
    WHERE v.programme_id = %(programme)s AND v.enabled AND named.ours IS NOT FALSE
    ORDER BY v.position, v.slug
"""


def variants(programme_id: int) -> list[VariantView]:
    """All that a programme's artists render with, the default first, whatever the cohort. One statement."""
    rows = ModelVariant.objects.filter(programme_id=programme_id, enabled=True).order_by("position", "slug")
    return [variant_view(row) for row in rows]


def usable_variants(member: MembershipView) -> list[VariantView]:
    """What a member may render with, the default first: open to all, or to their cohort. One statement."""
    return [variant_view(row) for row in variants_open_to(member.programme.id, member.cohort_id)]


def variants_open_to(programme_id: int, cohort_id: int) -> list[ModelVariant]:
    """Variants that are enabled and name no cohort, or that one; in the order of lists. One statement."""
    return list(ModelVariant.objects.raw(_OPEN_TO, {"programme": programme_id, "cohort": cohort_id}))

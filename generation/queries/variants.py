"""What a programme renders with."""

from __future__ import annotations

from generation.models import ModelVariant
from generation.queries.views import VariantView, variant_view


def variants(programme_id: int) -> list[VariantView]:
    """What a programme's artists may render with, the default first. One statement."""
    rows = ModelVariant.objects.filter(programme_id=programme_id, enabled=True).order_by("position", "slug")
    return [variant_view(row) for row in rows]

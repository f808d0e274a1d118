"""Variants are data: an operator adds one without a release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audit import log
from core.actors import Actor
from generation.models import ModelVariant


@dataclass(frozen=True, slots=True)
class VariantSpec:
    slug: str
    name: str
    description: str
    backend: str
    checkpoint: str
    steps: int
    guidance: float
    sizes: tuple[str, ...]
    lengths: tuple[int, ...]
    queue: str
    cost_per_second: int = 1
    fps: int = 24
    position: int = 0


def put(*, programme_id: int, programme: str, spec: VariantSpec, by: Actor, now: datetime) -> int:
    """Create the variant, or change it to `spec`. Videos keep the settings with which they were asked for."""
    values = {
        "name": spec.name,
        "description": spec.description,
        "backend": spec.backend,
        "checkpoint": spec.checkpoint,
        "steps": spec.steps,
        "guidance": spec.guidance,
        "sizes": list(spec.sizes),
        "lengths": list(spec.lengths),
        "queue": spec.queue,
        "cost_per_second": spec.cost_per_second,
        "fps": spec.fps,
        "position": spec.position,
    }
    with log.transaction() as events:
        variant, _ = ModelVariant.objects.update_or_create(
            programme_id=programme_id, slug=spec.slug, defaults=values
        )
        variant.full_clean()
        events.record(
            action="variant.put", actor=by, target=programme, now=now, data={"slug": spec.slug, **values}
        )
        return variant.pk

"""Variants are data: an operator adds one without a release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audit import log
from core.actors import Actor
from generation.models import Codec, ModelVariant, Stage

__all__ = ["Codec", "Stage", "VariantSpec", "put"]


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
    rates: tuple[int, ...] = (24,)
    position: int = 0
    stage: Stage = Stage.DRAFT
    codec: Codec = Codec.H264
    images: bool = False
    adapters: bool = False
    soft_limit: int = 1200  # seconds
    hard_limit: int = 1500
    priority: int = 0
    cohorts: tuple[int, ...] = ()  # row ids; none: everybody's


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
        "rates": list(spec.rates),
        "position": spec.position,
        "stage": spec.stage,
        "codec": spec.codec,
        "images": spec.images,
        "adapters": spec.adapters,
        "soft_limit": spec.soft_limit,
        "hard_limit": spec.hard_limit,
        "priority": spec.priority,
    }
    with log.transaction() as events:
        variant, _ = ModelVariant.objects.update_or_create(
            programme_id=programme_id, slug=spec.slug, defaults=values
        )
        variant.full_clean()
        variant.cohorts.set(spec.cohorts)
        events.record(
            action="variant.put",
            actor=by,
            target=programme,
            now=now,
            data={"slug": spec.slug, "cohorts": list(spec.cohorts), **values},
        )
        return variant.pk

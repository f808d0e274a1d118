"""Places in the queue, and how long they take: told from what was measured, never promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q

from generation import progress
from generation.models import Attempt, ModelVariant, Video
from generation.progress import Step
from generation.queries.views import ClipView
from generation.states import AttemptEnd, VideoState


@dataclass(frozen=True, slots=True)
class Waiting:
    """`position` counts from 1, the next to start; `seconds` until it starts, None before anything was measured."""

    position: int
    seconds: int | None


def waiting(clip: ClipView) -> Waiting | None:
    """A queued clip's place in its queue. At most three statements; None when it does not wait."""
    if clip.state != VideoState.QUEUED:
        return None
    row = Video.objects.filter(pk=clip.id).values("queued_at", "variant__queue").get()
    same = Video.objects.filter(variant__queue=row["variant__queue"])
    ahead = same.aggregate(
        queued=Count("id", filter=Q(state=VideoState.QUEUED) & _before(row["queued_at"], clip.id)),
        running=Count("id", filter=Q(state=VideoState.IN_PROGRESS)),
    )
    usual = _usual_seconds(row["variant__queue"])
    seconds = None if usual is None else round(usual * (ahead["queued"] + ahead["running"]))
    return Waiting(position=ahead["queued"] + 1, seconds=seconds)


def ahead(variant_id: int) -> Waiting:
    """What somebody who asks now would meet. Three statements."""
    queue = ModelVariant.objects.values_list("queue", flat=True).get(pk=variant_id)
    open_now = Video.objects.filter(
        variant__queue=queue, state__in=[VideoState.QUEUED, VideoState.IN_PROGRESS]
    ).count()
    usual = _usual_seconds(queue)
    return Waiting(position=open_now + 1, seconds=None if usual is None else round(usual * open_now))


def steps_of(views: Sequence[ClipView]) -> dict[str, Step]:
    """The last published step of each clip that is rendering. No statement."""
    return progress.latest(view.public_id for view in views if view.state == VideoState.IN_PROGRESS)


def _before(at: datetime, pk: int) -> Q:
    return Q(queued_at__lt=at) | Q(queued_at=at, id__lt=pk)


def _usual_seconds(queue: str) -> float | None:
    """The mean of the queue's last twenty finished attempts."""
    latest = Attempt.objects.filter(end=AttemptEnd.FINISHED, video__variant__queue=queue).order_by(
        "-ended_at"
    )
    length = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    mean = Attempt.objects.filter(pk__in=latest.values("pk")[:20]).aggregate(mean=Avg(length))["mean"]
    return mean.total_seconds() if mean else None

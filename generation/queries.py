"""The only readers used from outside. Each has a fixed number of SQL statements, named in its docstring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet

from generation import progress
from generation.models import Attempt, Master, ModelVariant, Rendition, Video
from generation.progress import Step
from generation.states import AttemptEnd, VideoState


@dataclass(frozen=True, slots=True)
class VariantView:
    id: int
    slug: str
    name: str
    description: str
    checkpoint: str
    steps: int
    sizes: tuple[str, ...]
    lengths: tuple[int, ...]
    fps: int
    cost_per_second: int


@dataclass(frozen=True, slots=True)
class RenditionView:
    id: int
    public_id: str
    kind: str
    sha256: str
    bytes: int
    media_type: str
    width: int
    height: int
    storage_key: str
    removed: bool


@dataclass(frozen=True, slots=True)
class MasterView:
    id: int
    frames_sha256: str
    frame_count: int
    method: str
    native_width: int
    native_height: int
    native_frames: int
    renditions: tuple[RenditionView, ...]

    def rendition(self, kind: str) -> RenditionView | None:
        return next((made for made in self.renditions if made.kind == kind), None)


@dataclass(frozen=True, slots=True)
class ClipView:
    id: int
    public_id: str
    code: str
    membership_id: int
    artist_id: int
    artist_public_id: str
    artist_name: str
    programme_id: int
    state: VideoState
    prompt: str
    completed_prompt: str
    seed: int
    variant_slug: str
    variant_name: str
    width: int
    height: int
    seconds: int
    fps: int
    steps: int
    cost: int
    attempts_made: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deleted_at: datetime | None
    error_code: str
    error_sentence: str
    master: MasterView | None

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def is_open(self) -> bool:
        return self.state in {VideoState.QUEUED, VideoState.IN_PROGRESS}


@dataclass(frozen=True, slots=True)
class Waiting:
    """`position` counts from 1, the next to start; `seconds` until it starts, None before anything was measured."""

    position: int
    seconds: int | None


_RELATED = ("variant", "membership__user", "master")


def clip(public_id: str) -> ClipView | None:
    """One clip, deleted or not. Two statements, one where it has no files."""
    row = Video.objects.select_related(*_RELATED).filter(public_id=public_id).first()
    return _views([row])[0] if row else None


def own_clip(public_id: str, membership_id: int) -> ClipView | None:
    """A member's own clip that is not deleted. Two statements, one where it has no files."""
    rows = Video.objects.select_related(*_RELATED).filter(membership_id=membership_id, deleted_at=None)
    row = rows.filter(public_id=public_id).first()
    return _views([row])[0] if row else None


def own_clips(public_ids: Sequence[str], membership_id: int) -> list[ClipView]:
    """Those of the named clips that are the member's and not deleted. Two statements."""
    rows = Video.objects.select_related(*_RELATED).filter(membership_id=membership_id, deleted_at=None)
    return _views(list(rows.filter(public_id__in=public_ids)))


def clips(ids: Iterable[int]) -> dict[int, ClipView]:
    """Clips by row id. Two statements."""
    return {
        view.id: view
        for view in _views(list(Video.objects.select_related(*_RELATED).filter(pk__in=list(ids))))
    }


def clips_of(
    membership_id: int,
    *,
    limit: int,
    after: str | None = None,
    order: Literal["asc", "desc"] = "desc",
    state: VideoState | None = None,
) -> list[ClipView] | None:
    """A page of a member's clips by time of request, following `after` (a public id). At most three statements.

    None when `after` is not one of the member's clips.
    """
    rows: QuerySet[Video] = Video.objects.filter(membership_id=membership_id)
    if after is not None:
        edge = rows.filter(public_id=after).values_list("created_at", "id").first()
        if edge is None:
            return None
        at, pk = edge
        rows = rows.filter(
            Q(created_at__lt=at) | Q(created_at=at, id__lt=pk)
            if order == "desc"
            else Q(created_at__gt=at) | Q(created_at=at, id__gt=pk)
        )
    if state is not None:
        rows = rows.filter(state=state)
    sign = "-" if order == "desc" else ""
    rows = rows.filter(deleted_at=None).select_related(*_RELATED).order_by(f"{sign}created_at", f"{sign}id")
    return _views(list(rows[:limit]))


def rendition(public_id: str) -> RenditionView | None:
    """One statement."""
    row = Rendition.objects.filter(public_id=public_id).first()
    return _rendition(row) if row else None


def variants(programme_id: int) -> list[VariantView]:
    """What a programme's artists may render with, the default first. One statement."""
    rows = ModelVariant.objects.filter(programme_id=programme_id, enabled=True).order_by("position", "slug")
    return [_variant(row) for row in rows]


def lanes() -> list[str]:
    """The queues that some variant uses. One statement."""
    return sorted(set(ModelVariant.objects.filter(enabled=True).values_list("queue", flat=True)))


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


def counts(programme_id: int) -> dict[str, int]:
    """How many videos are in each state. One statement."""
    rows = (
        Video.objects.filter(membership__programme_id=programme_id)
        .values_list("state")
        .annotate(n=Count("id"))
    )
    return dict.fromkeys(VideoState.values, 0) | dict(rows.order_by())


def watcher_may_see(public_id: str, user_id: int) -> bool:
    """Whether a signed-in person may follow this video's progress. One statement."""
    return Video.objects.filter(public_id=public_id, membership__user_id=user_id, deleted_at=None).exists()


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


def _variant(row: ModelVariant) -> VariantView:
    return VariantView(
        id=row.pk,
        slug=row.slug,
        name=row.name,
        description=row.description,
        checkpoint=row.checkpoint,
        steps=row.steps,
        sizes=tuple(row.sizes),
        lengths=tuple(row.lengths),
        fps=row.fps,
        cost_per_second=row.cost_per_second,
    )


def _rendition(row: Rendition) -> RenditionView:
    return RenditionView(
        id=row.pk,
        public_id=row.public_id,
        kind=row.kind,
        sha256=row.sha256,
        bytes=row.bytes,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        storage_key=row.storage_key,
        removed=row.removed_at is not None,
    )


def _views(rows: Sequence[Video]) -> list[ClipView]:
    masters = [row.master.pk for row in rows if hasattr(row, "master")]
    made: dict[int, list[RenditionView]] = {pk: [] for pk in masters}
    if masters:
        for file in Rendition.objects.filter(master_id__in=masters).order_by("kind"):
            made[file.master_id].append(_rendition(file))
    return [_clip(row, made) for row in rows]


def _clip(row: Video, made: dict[int, list[RenditionView]]) -> ClipView:
    user = row.membership.user
    master: Master | None = getattr(row, "master", None)
    return ClipView(
        id=row.pk,
        public_id=row.public_id,
        code=row.code,
        membership_id=row.membership_id,
        artist_id=user.pk,
        artist_public_id=user.public_id,
        artist_name=user.public_name,
        programme_id=row.membership.programme_id,
        state=VideoState(row.state),
        prompt=row.prompt,
        completed_prompt=row.completed_prompt,
        seed=row.seed,
        variant_slug=row.variant.slug,
        variant_name=row.variant.name,
        width=row.width,
        height=row.height,
        seconds=row.seconds,
        fps=row.fps,
        steps=row.steps,
        cost=row.cost,
        attempts_made=row.attempts_made,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        deleted_at=row.deleted_at,
        error_code=row.error_code,
        error_sentence=row.error_sentence,
        master=None
        if master is None
        else MasterView(
            id=master.pk,
            frames_sha256=master.frames_sha256,
            frame_count=master.frame_count,
            method=master.method,
            native_width=master.native_width,
            native_height=master.native_height,
            native_frames=master.native_frames,
            renditions=tuple(made[master.pk]),
        ),
    )

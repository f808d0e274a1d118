"""What doors get to see of the tables: frozen, and nothing to follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from generation.models import Master, ModelVariant, Rendition, Stage, Video
from generation.states import VideoState


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
    stage: Stage
    images: bool
    adapters: bool

    @property
    def is_final(self) -> bool:
        return self.stage == Stage.FINAL


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


def variant_view(row: ModelVariant) -> VariantView:
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
        stage=Stage(row.stage),
        images=row.images,
        adapters=row.adapters,
    )


def rendition_view(row: Rendition) -> RenditionView:
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


def clip_views(rows: Sequence[Video]) -> list[ClipView]:
    masters = [row.master.pk for row in rows if hasattr(row, "master")]
    made: dict[int, list[RenditionView]] = {pk: [] for pk in masters}
    if masters:
        for file in Rendition.objects.filter(master_id__in=masters).order_by("kind"):
            made[file.master_id].append(rendition_view(file))
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

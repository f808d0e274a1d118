"""What doors get to see of the tables: frozen, and nothing to follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from generation.models import Master, ModelVariant, Rendition, Stage, Video
from generation.states import Purpose, Relation, VideoState

ARTISTS = Q(mark=None) | Q(mark__purpose=Purpose.MASTER)
"""Renditions of the artist's own copy; where nothing is marked, as in benchmarks, there is one copy for all."""


@dataclass(frozen=True, slots=True)
class VariantView:
    """One way to render. Of `sizes`, `lengths` (seconds) and `rates` (frames a second) the first is the default."""

    id: int
    slug: str
    name: str
    description: str
    checkpoint: str
    steps: int
    sizes: tuple[str, ...]
    lengths: tuple[int, ...]
    rates: tuple[int, ...]
    cost_per_second: int
    stage: Stage
    images: bool
    adapters: bool
    queue: str

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
    marked: bool = False
    """Whether a number in its frames tells it from other copies."""


@dataclass(frozen=True, slots=True)
class MasterView:
    id: int
    frames_sha256: str
    frame_count: int
    method: str
    native_width: int
    native_height: int
    native_frames: int
    windows: int
    renditions: tuple[RenditionView, ...]

    @property
    def marked(self) -> bool:
        """Whether each copy has a number of its own. Frames that are the same for every clip, as in benchmarks, have
        none, and are one copy for all."""
        return any(made.marked for made in self.renditions)

    def rendition(self, kind: str) -> RenditionView | None:
        return next((made for made in self.renditions if made.kind == kind), None)


@dataclass(frozen=True, slots=True)
class StyleName:
    """The style that a clip was asked for in, by the name that it has today; the clip keeps the words themselves."""

    public_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ClipView:
    """A clip. `request` is shared by its `takes`, of which it is number `take`; deleted ones keep their number.

    `source` and `reference` are public ids: the clip that it comes from, and the picture that it starts from.
    """

    id: int
    public_id: str
    request: str
    take: int
    takes: int
    code: str
    membership_id: int
    artist_id: int
    artist_public_id: str
    artist_name: str
    programme_id: int
    state: VideoState
    prompt: str
    styled_prompt: str
    negative_prompt: str
    completed_prompt: str
    ignored_words: tuple[str, ...]
    style: StyleName | None
    reference: str | None
    source: str | None
    relation: Relation | None
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
    starred_at: datetime | None
    discarded_at: datetime | None
    deleted_at: datetime | None
    error_code: str
    error_sentence: str
    master: MasterView | None

    @property
    def starred(self) -> bool:
        return self.starred_at is not None

    @property
    def discarded(self) -> bool:
        return self.discarded_at is not None

    @property
    def windows(self) -> int | None:
        return self.master.windows if self.master else None

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
        rates=tuple(row.rates),
        cost_per_second=row.cost_per_second,
        stage=Stage(row.stage),
        images=row.images,
        adapters=row.adapters,
        queue=row.queue,
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
        marked=row.mark_id is not None,
    )


def shown() -> QuerySet[Video]:
    """Videos with all that a ClipView tells of them but the files, in one statement.

    Of rows of which one name is told, that alone is read: a Video beside each Video would double the work.
    """
    takes = Video.objects.filter(request=OuterRef("request")).order_by().values("request")
    return Video.objects.select_related("variant", "membership__user", "master").annotate(
        takes=Subquery(takes.annotate(n=Count("id")).values("n")),
        style_key=F("style__public_id"),
        style_name=F("style__name"),
        reference_key=F("reference__public_id"),
        source_key=F("source__public_id"),
    )


def clip_views(rows: Sequence[Video]) -> list[ClipView]:
    """`rows` of `shown()`, with the files of the artist's own copy. One statement, none where there are no files."""
    masters = [row.master.pk for row in rows if hasattr(row, "master")]
    made: dict[int, list[RenditionView]] = {pk: [] for pk in masters}
    if masters:
        for file in Rendition.objects.filter(ARTISTS, master_id__in=masters).order_by("kind"):
            made[file.master_id].append(rendition_view(file))
    return [_clip(row, made) for row in rows]


def _clip(row: Video, made: dict[int, list[RenditionView]]) -> ClipView:
    user = row.membership.user
    more = vars(row)  # with what `shown` has annotated
    master: Master | None = getattr(row, "master", None)
    return ClipView(
        id=row.pk,
        public_id=row.public_id,
        request=row.request,
        take=row.take,
        takes=more["takes"],
        code=row.code,
        membership_id=row.membership_id,
        artist_id=user.pk,
        artist_public_id=user.public_id,
        artist_name=user.public_name,
        programme_id=row.membership.programme_id,
        state=VideoState(row.state),
        prompt=row.prompt,
        styled_prompt=row.styled_prompt,
        negative_prompt=row.negative_prompt,
        completed_prompt=row.completed_prompt,
        ignored_words=tuple(row.ignored_words),
        style=StyleName(more["style_key"], more["style_name"]) if row.style_id else None,
        reference=more["reference_key"],
        source=more["source_key"],
        relation=Relation(row.relation) if row.relation else None,
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
        starred_at=row.starred_at,
        discarded_at=row.discarded_at,
        deleted_at=row.deleted_at,
        error_code=row.error_code,
        error_sentence=row.error_sentence,
        master=_master(master, made[master.pk]) if master else None,
    )


def _master(row: Master, made: list[RenditionView]) -> MasterView:
    return MasterView(
        id=row.pk,
        frames_sha256=row.frames_sha256,
        frame_count=row.frame_count,
        method=row.method,
        native_width=row.native_width,
        native_height=row.native_height,
        native_frames=row.native_frames,
        windows=row.windows,
        renditions=tuple(made),
    )

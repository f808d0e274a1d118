"""Styles and adapters: what a member may use, and what an operator sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from generation.models import Adapter, StylePreset
from programme.queries import MembershipView


@dataclass(frozen=True, slots=True)
class StyleView:
    """A style that a member may use. `own` is theirs alone; `checkpoint` is what its adapter was made for, or empty."""

    id: int
    public_id: str
    name: str
    description: str
    template: str
    negative_prompt: str
    guidance: float | None
    adapter: str | None
    adapter_name: str
    adapter_weight: float
    checkpoint: str
    own: bool
    position: int
    created_at: datetime

    def fits(self, *, checkpoint: str, adapters: bool) -> bool:
        """Whether a variant with that checkpoint, which loads LoRA files or not, can render it."""
        return self.adapter is None or (adapters and checkpoint == self.checkpoint)


@dataclass(frozen=True, slots=True)
class AdapterView:
    """A LoRA file. `own` is the member's who asks; `styles` how many live styles use it, for operators alone."""

    id: int
    public_id: str
    name: str
    checkpoint: str
    sha256: str
    bytes: int
    rank: int
    targets: tuple[str, ...]
    own: bool
    created_by: str
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shared:
    """Something of the programme's with the cohorts (public ids and names) that may use it; none: all may."""

    cohorts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OfficeStyle(Shared):
    style: StyleView
    created_by: str
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class OfficeAdapter(Shared):
    """`styles` names the live styles of the programme that use it."""

    adapter: AdapterView
    styles: tuple[str, ...]


def usable(member: MembershipView) -> list[StyleView]:
    """Styles that a member may use now, whatever the variant: their own first, then the programme's. One statement."""
    adapter_works = Q(adapter=None) | Q(adapter__in=adapters_open_to(member))
    rows = styles_open_to(member).filter(adapter_works, retired_at=None).select_related("adapter")
    views = [style_view(row) for row in rows.order_by("position", "name", "id")]
    return sorted(views, key=lambda view: not view.own)


def own_styles(membership_id: int) -> list[StyleView]:
    """A member's own styles that are not retired, those too whose adapter is gone. One statement."""
    rows = StylePreset.objects.filter(membership_id=membership_id, retired_at=None).select_related("adapter")
    return [style_view(row) for row in rows.order_by("position", "name", "id")]


def own_style(public_id: str, membership_id: int) -> StyleView | None:
    """One statement."""
    rows = StylePreset.objects.filter(membership_id=membership_id, retired_at=None).select_related("adapter")
    row = rows.filter(public_id=public_id).first()
    return style_view(row) if row else None


def usable_adapters(member: MembershipView) -> list[AdapterView]:
    """Adapters that a member may put into a style of their own: theirs, and the programme's. One statement."""
    return [adapter_view(row) for row in adapters_open_to(member).order_by("name", "id")]


def styles_of(programme_id: int, *, retired: bool = False) -> list[OfficeStyle]:
    """The programme's styles as the office lists them; with `retired` those too that were. Two statements."""
    rows = StylePreset.objects.filter(programme_id=programme_id, membership=None).select_related("adapter")
    if not retired:
        rows = rows.filter(retired_at=None)
    return [
        OfficeStyle(
            cohorts=_named(row.cohorts.all()),
            style=style_view(row),
            created_by=row.created_by,
            retired_at=row.retired_at,
        )
        for row in rows.prefetch_related("cohorts").order_by("position", "name", "id")
    ]


def adapters_of(programme_id: int, *, retired: bool = False) -> list[OfficeAdapter]:
    """The programme's adapters as the office lists them. Three statements."""
    rows = Adapter.objects.filter(programme_id=programme_id, membership=None)
    if not retired:
        rows = rows.filter(retired_at=None)
    return [
        OfficeAdapter(
            cohorts=_named(row.cohorts.all()),
            adapter=adapter_view(row),
            styles=tuple(
                style.name
                for style in row.styles.all()
                if style.membership_id is None and style.retired_at is None
            ),
        )
        for row in rows.prefetch_related("cohorts", "styles").order_by("name", "id")
    ]


def styles_open_to(member: MembershipView) -> QuerySet[StylePreset]:
    """Styles that are the member's, or the programme's and open to their cohort; retired ones too."""
    rows = StylePreset.objects.filter(programme_id=member.programme.id)
    through = StylePreset.cohorts.through._base_manager.filter(stylepreset=OuterRef("pk"))
    return rows.filter(_open(through, member))


def adapters_open_to(member: MembershipView) -> QuerySet[Adapter]:
    """Adapters that are the member's, or the programme's and open to their cohort, and not retired."""
    rows = Adapter.objects.filter(programme_id=member.programme.id, retired_at=None)
    through = Adapter.cohorts.through._base_manager.filter(adapter=OuterRef("pk"))
    return rows.filter(_open(through, member))


def _open(through: QuerySet[Model], member: MembershipView) -> Q:
    to_cohort = ~Exists(through) | Exists(through.filter(cohort=member.cohort_id))
    return Q(membership=member.id) | (Q(membership=None) & Q(to_cohort))


def style_view(row: StylePreset) -> StyleView:
    return StyleView(
        id=row.pk,
        public_id=row.public_id,
        name=row.name,
        description=row.description,
        template=row.template,
        negative_prompt=row.negative_prompt,
        guidance=row.guidance,
        adapter=row.adapter.public_id if row.adapter else None,
        adapter_name=row.adapter.name if row.adapter else "",
        adapter_weight=row.adapter_weight,
        checkpoint=row.adapter.checkpoint if row.adapter else "",
        own=row.membership_id is not None,
        position=row.position,
        created_at=row.created_at,
    )


def adapter_view(row: Adapter) -> AdapterView:
    return AdapterView(
        id=row.pk,
        public_id=row.public_id,
        name=row.name,
        checkpoint=row.checkpoint,
        sha256=row.sha256,
        bytes=row.bytes,
        rank=row.rank,
        targets=tuple(row.targets),
        own=row.membership_id is not None,
        created_by=row.created_by,
        created_at=row.created_at,
        retired_at=row.retired_at,
    )


def _named(cohorts: Iterable[Model]) -> tuple[tuple[str, str], ...]:
    return tuple((cohort.public_id, cohort.name) for cohort in cohorts)  # type: ignore[attr-defined]

"""Programmes, their cohorts and their terms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from programme.models import Cohort, Programme, TermsVersion
from programme.queries.memberships import ProgrammeView
from programme.states import MembershipState


@dataclass(frozen=True, slots=True)
class CohortView:
    """`members` counts those who are active."""

    id: int
    public_id: str
    programme_id: int
    name: str
    daily_seconds: int
    created_at: datetime
    members: int


@dataclass(frozen=True, slots=True)
class TermsView:
    number: int
    text: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class MarkStyles:
    """How the visible mark looks: on every copy, and on what is approved to be shown. Values of `MarkStyle`."""

    every: str
    public: str


def mark_styles(programme_id: int) -> MarkStyles:
    """One query."""
    return MarkStyles(*Programme.objects.values_list("mark_style", "public_mark_style").get(pk=programme_id))


def programme(slug: str | None = None) -> ProgrammeView | None:
    """The programme of that name; without one, the first that was made. One query."""
    rows = Programme.objects.order_by("id")
    row = (rows if slug is None else rows.filter(slug=slug)).first()
    return None if row is None else _programme(row)


def programmes() -> tuple[ProgrammeView, ...]:
    """All of them, the oldest first. One query."""
    return tuple(_programme(row) for row in Programme.objects.order_by("id"))


def cohorts(programme_id: int) -> tuple[CohortView, ...]:
    """The oldest first. One query."""
    return tuple(_cohort(row) for row in _cohorts().filter(programme_id=programme_id))


def cohort(public_id: str) -> CohortView | None:
    """One query."""
    row = _cohorts().filter(public_id=public_id).first()
    return None if row is None else _cohort(row)


def current_terms(programme_id: int) -> TermsView | None:
    """The version in force. One query."""
    row = TermsVersion.objects.filter(programme_id=programme_id).order_by("-number").first()
    return None if row is None else TermsView(row.number, row.text, row.published_at)


def terms_history(programme_id: int) -> tuple[TermsView, ...]:
    """Every version, the latest first. One query."""
    rows = TermsVersion.objects.filter(programme_id=programme_id).order_by("-number")
    return tuple(TermsView(row.number, row.text, row.published_at) for row in rows)


def _cohorts() -> QuerySet[Cohort]:
    active = Count("memberships", filter=Q(memberships__state=MembershipState.ACTIVE))
    return Cohort.objects.annotate(active=active).order_by("id")


def _cohort(row: Cohort) -> CohortView:
    return CohortView(
        row.pk,
        row.public_id,
        row.programme_id,
        row.name,
        row.daily_seconds,
        row.created_at,
        row.active,  # type: ignore[attr-defined]  # annotated
    )


def _programme(row: Programme) -> ProgrammeView:
    return ProgrammeView(row.pk, row.public_id, row.slug, row.name, row.mark_text, row.timezone)

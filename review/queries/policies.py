from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from review.models import PolicyVersion, ReasonCode


@dataclass(frozen=True, slots=True)
class ReasonView:
    id: int
    code: str
    title: str
    explanation: str


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A published version. `reasons` may be given; those in `never` are published as never counting."""

    id: int
    number: int
    text: str
    published_at: datetime
    reasons: tuple[ReasonView, ...]
    never: tuple[ReasonView, ...]


def current_policy(programme_id: int) -> PolicyView | None:
    """The latest published version. Two statements, one where there is none."""
    published = PolicyVersion.objects.filter(programme_id=programme_id, published_at__isnull=False)
    row = published.order_by("-number").first()
    if row is None or row.published_at is None:
        return None
    codes = list(ReasonCode.objects.filter(policy=row).order_by("code"))
    return PolicyView(
        id=row.pk,
        number=row.number,
        text=row.text,
        published_at=row.published_at,
        reasons=tuple(_reason(code) for code in codes if code.may_be_used),
        never=tuple(_reason(code) for code in codes if not code.may_be_used),
    )


def _reason(row: ReasonCode) -> ReasonView:
    return ReasonView(id=row.pk, code=row.code, title=row.title, explanation=row.explanation)

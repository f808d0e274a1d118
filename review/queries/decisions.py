from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from review.models import Decision, DecisionReason
from review.queries.paging import after_row
from review.states import Outcome


@dataclass(frozen=True, slots=True)
class ReasonGiven:
    code: str
    title: str


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision as its artist reads it; who decided stays with the desk."""

    public_id: str
    outcome: Outcome
    reasons: tuple[ReasonGiven, ...]
    facts: str
    at: datetime
    policy_number: int


@dataclass(frozen=True, slots=True)
class DecidedEntry:
    case: str
    title: str
    artist_name: str
    decision: DecisionView


def decided_by(reviewer_id: int, *, limit: int, after: str | None = None) -> list[DecidedEntry]:
    """A reviewer's decisions, newest first, following `after` (a decision's public id).

    Two statements, one more with `after`.
    """
    own = Decision.objects.filter(reviewer_id=reviewer_id).select_related(
        "policy", "case__submission", "case__artist"
    )
    rows = list(after_row(own, after, key="at", descending=True)[:limit])
    made = views(rows)
    return [
        DecidedEntry(
            case=row.case.public_id,
            title=row.case.submission.title,
            artist_name=row.case.artist.public_name,
            decision=made[row.pk],
        )
        for row in rows
    ]


def of_cases(case_ids: Iterable[int]) -> dict[int, list[DecisionView]]:
    """The decisions of each case, oldest first. Two statements."""
    rows = list(
        Decision.objects.filter(case_id__in=list(case_ids)).select_related("policy").order_by("at", "id")
    )
    made = views(rows)
    found: dict[int, list[DecisionView]] = {}
    for row in rows:
        found.setdefault(row.case_id, []).append(made[row.pk])
    return found


def views(rows: Iterable[Decision]) -> dict[int, DecisionView]:
    """Decisions, loaded with their policy, with their reasons. One statement."""
    by_id = {row.pk: row for row in rows}
    given: dict[int, list[ReasonGiven]] = {pk: [] for pk in by_id}
    for link in DecisionReason.objects.filter(decision_id__in=by_id).select_related("reason").order_by("id"):
        given[link.decision_id].append(ReasonGiven(code=link.reason.code, title=link.reason.title))
    return {
        pk: DecisionView(
            public_id=row.public_id,
            outcome=Outcome(row.outcome),
            reasons=tuple(given[pk]),
            facts=row.facts,
            at=row.at,
            policy_number=row.policy.number,
        )
        for pk, row in by_id.items()
    }

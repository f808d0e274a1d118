"""Who is a member of what, and may they go on: everything that the gate needs of it in one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from programme.models import Membership
from programme.states import MembershipState

# For queries of other floors that must be one statement: joins onto a membership aliased `m`, and what to select.
COLUMNS_SQL = """
    m.id, m.public_id, m.user_id, p.id, p.public_id, p.slug, p.name, p.mark_text, p.timezone,
    m.cohort_id, c.name, c.daily_seconds, m.state, terms.number, accepted.id IS NOT NULL
"""
JOINS_SQL = """
    LEFT JOIN programme_programme p ON p.id = m.programme_id
    LEFT JOIN programme_cohort c ON c.id = m.cohort_id
    LEFT JOIN LATERAL (
        SELECT v.id, v.number FROM programme_termsversion v WHERE v.programme_id = p.id ORDER BY v.number DESC LIMIT 1
    ) terms ON true
    LEFT JOIN programme_termsacceptance accepted ON accepted.version_id = terms.id AND accepted.membership_id = m.id
"""
WIDTH = 15
"""How many columns COLUMNS_SQL has."""

_FROM = f"SELECT {COLUMNS_SQL} FROM programme_membership m {JOINS_SQL}"  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """`timezone` is an IANA name; `mark_text` is burnt into every frame."""

    id: int
    public_id: str
    slug: str
    name: str
    mark_text: str
    timezone: str


@dataclass(frozen=True, slots=True)
class MembershipView:
    """`terms_current` is the number in force, None before the first; `terms_accepted` speaks of that number."""

    id: int
    public_id: str
    user_id: int
    programme: ProgrammeView
    cohort_id: int
    cohort_name: str
    daily_seconds: int
    state: MembershipState
    terms_current: int | None
    terms_accepted: bool


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member as the office lists them."""

    id: int
    public_id: str
    user_id: int
    email: str
    public_name: str
    cohort_name: str
    state: MembershipState
    joined_at: datetime
    terms_accepted: bool


@dataclass(frozen=True, slots=True)
class MemberPage:
    """`next_after` goes back in as `after`; None on the last page."""

    members: tuple[MemberView, ...]
    next_after: int | None


def from_row(row: Sequence[Any]) -> MembershipView | None:
    """A view from the columns of COLUMNS_SQL; None where an outer join found no membership."""
    if row[0] is None:
        return None
    return MembershipView(
        id=row[0],
        public_id=row[1],
        user_id=row[2],
        programme=ProgrammeView(*row[3:9]),
        cohort_id=row[9],
        cohort_name=row[10],
        daily_seconds=row[11],
        state=MembershipState(row[12]),
        terms_current=row[13],
        terms_accepted=row[14],
    )


def memberships_of(user_id: int) -> tuple[MembershipView, ...]:
    """Every membership of one person, the latest first. One query."""
    return _select("WHERE m.user_id = %s ORDER BY m.joined_at DESC, m.id DESC", [user_id])


def membership(membership_id: int) -> MembershipView | None:
    """One query."""
    found = _select("WHERE m.id = %s", [membership_id])
    return found[0] if found else None


def membership_by_public_id(public_id: str) -> MembershipView | None:
    """One query."""
    found = _select("WHERE m.public_id = %s", [public_id])
    return found[0] if found else None


def members(programme_id: int, *, after: int | None = None, limit: int = 50) -> MemberPage:
    """Members of a programme, the latest first, by keyset: page 1,000 costs what page 1 costs. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m.id, m.public_id, m.user_id, u.email, u.public_name, c.name, m.state, m.joined_at,
                   accepted.id IS NOT NULL
            FROM programme_membership m JOIN accounts_user u ON u.id = m.user_id {JOINS_SQL}
            WHERE m.programme_id = %s AND (%s::bigint IS NULL OR m.id < %s)
            ORDER BY m.id DESC LIMIT %s
            """,  # noqa: S608 - made of constants
            [programme_id, after, after, limit + 1],
        )
        rows = cursor.fetchall()
    found = tuple(_member(row) for row in rows[:limit])
    return MemberPage(found, found[-1].id if len(rows) > limit else None)


def _member(row: Sequence[Any]) -> MemberView:
    return MemberView(
        id=row[0],
        public_id=row[1],
        user_id=row[2],
        email=row[3],
        public_name=row[4],
        cohort_name=row[5],
        state=MembershipState(row[6]),
        joined_at=row[7],
        terms_accepted=row[8],
    )


def _select(where: str, params: Sequence[Any]) -> tuple[MembershipView, ...]:
    with connection.cursor() as cursor:
        cursor.execute(f"{_FROM} {where}", params)
        views = (from_row(row) for row in cursor.fetchall())
        return tuple(view for view in views if view is not None)


def is_credited(membership_id: int) -> bool:
    """Whether the member's public name stands in files. One statement."""
    return Membership.objects.filter(id=membership_id, credited=True).exists()

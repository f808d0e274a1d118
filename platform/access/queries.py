"""A person's tokens, without their secrets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from access.kinds import TokenKind
from access.models import ApiToken
from access.scopes import Scope
from core.errors import Invalid


@dataclass(frozen=True, slots=True)
class TokenView:
    """`hint` is how the token's text begins: enough to recognise it, useless to anybody else."""

    public_id: str
    kind: TokenKind
    name: str
    hint: str
    scopes: tuple[Scope, ...]
    programme: str | None
    membership: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None

    def state(self, now: datetime) -> str:
        """live, revoked or expired."""
        if self.revoked_at is not None:
            return "revoked"
        return "live" if now < self.expires_at else "expired"


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A member's token as the office lists it."""

    token: TokenView
    holder: str
    email: str


def tokens_of_programme(programme_id: int, *, limit: int, after: str | None = None) -> list[HeldToken]:
    """Tokens of a programme's members, the latest first, following `after` (a token's public id).

    One query, one more with `after`.
    """
    rows = ApiToken.objects.filter(membership__programme_id=programme_id)
    if after is not None:
        rows = rows.filter(id__lt=_row_of(rows, after))
    rows = rows.select_related("membership__programme", "user").order_by("-id")
    return [HeldToken(_view(row), row.user.public_name, row.user.email) for row in rows[:limit]]


def holders(public_ids: Iterable[str]) -> dict[str, str]:
    """How to call the tokens of these public ids: name and holder. One query; others are left out."""
    rows = ApiToken.objects.filter(public_id__in=set(public_ids)).select_related("user")
    return {
        row.public_id: f"the token “{row.name}” of {row.user.public_name or row.user.email}" for row in rows
    }


def tokens_of(user_id: int) -> tuple[TokenView, ...]:
    """All that the person ever made, the latest first. One query."""
    rows = ApiToken.objects.filter(user_id=user_id).select_related("membership__programme").order_by("-id")
    return tuple(_view(row) for row in rows)


def _row_of(rows: QuerySet[ApiToken], public_id: str) -> int:
    found = rows.filter(public_id=public_id).values_list("id", flat=True).first()
    if found is None:
        raise Invalid("bad_cursor", "That cursor is not from this list.")
    return found


def _view(row: ApiToken) -> TokenView:
    return TokenView(
        public_id=row.public_id,
        kind=TokenKind(row.kind),
        name=row.name,
        hint=f"pv_{row.kind}_{row.lookup}",
        scopes=tuple(sorted(Scope(scope) for scope in row.scopes)),
        programme=row.membership.programme.name if row.membership else None,
        membership=row.membership.public_id if row.membership else None,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )

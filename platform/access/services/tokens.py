"""Tokens are issued, and revoked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from access import gate, rules
from access.caller import Caller
from access.kinds import TokenKind
from access.models import ApiToken
from audit import log
from core import bearer
from core.actors import Actor
from core.errors import NotFound
from roles.queries import roles_of
from roles.roles import Permission, permits

DAYS = 90


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """`secret` is the token's whole text. It is here once and cannot be had again."""

    public_id: str
    secret: str = field(repr=False)
    expires_at: datetime


def issue(
    *, caller: Caller, kind: TokenKind, name: str, scopes: Iterable[str], now: datetime, days: int = DAYS
) -> IssuedToken:
    """Make a token for the caller; an artist's hangs on the membership with which they came.

    Raises NotAllowed (as `gate.check_may_issue`) or Invalid, naming the field.
    """
    gate.check_may_issue(caller, kind)
    named, held = rules.token_name(name), rules.token_scopes(kind, scopes)
    rules.check_token_days(days)
    secret = bearer.make(kind.value)
    member = caller.membership if kind == TokenKind.ARTIST else None
    with log.transaction() as events:
        row = ApiToken.objects.create(
            kind=kind,
            user_id=caller.user_id,
            membership_id=None if member is None else member.id,
            name=named,
            lookup=secret.id,
            digest=secret.digest(settings.TOKEN_PEPPER),
            scopes=held,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        events.record(
            action="token.issued",
            actor=caller.actor,
            target=row.public_id,
            now=now,
            data={"kind": kind.value, "scopes": held, "days": days},
        )
    return IssuedToken(row.public_id, secret.text, row.expires_at)


def revoke(*, token: str, by: Actor, now: datetime) -> None:
    """End a token (public id); its next request is refused. Twice is once.

    Its owner and operators may; for anybody else it is NotFound.
    """
    with log.transaction() as events:
        row = ApiToken.objects.select_for_update().filter(public_id=token).first()
        if row is None or not _may_revoke(row, by):
            raise NotFound("not_found", "There is no such token.")
        if row.revoked_at is None:
            row.revoked_at, row.revoked_by = now, str(by)
            row.save(update_fields=["revoked_at", "revoked_by"])
            events.record(action="token.revoked", actor=by, target=token, now=now)


def _may_revoke(row: ApiToken, by: Actor) -> bool:
    if by.user_id is None or by.user_id == row.user_id:
        return True
    scope = row.membership.programme.public_id if row.membership else "*"
    return permits(roles_of(by.user_id, scope), Permission.RUN_PROGRAMME)

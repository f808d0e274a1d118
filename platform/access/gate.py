"""The one answer to: who is this, and may they do that now?

Nothing is remembered between two requests, so that whatever is revoked, suspended or ended counts from the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from access import requirements
from access.caller import Caller
from access.kinds import KINDS, TokenKind
from access.requirements import Action
from access.scopes import Scope
from core import bearer, digests
from core.actors import Actor
from core.errors import Unauthenticated
from programme.queries import memberships
from roles.queries import HELD_SQL
from roles.roles import Role

__all__ = [
    "Action",
    "caller_for_token",
    "caller_for_user",
    "check_may",
    "check_may_issue",
    "may",
    "may_issue",
]

SEEN_EVERY = timedelta(minutes=1)

_BY_TOKEN = f"""
    SELECT t.id, t.public_id, t.digest, t.scopes, t.expires_at, t.revoked_at, t.last_used_at,
           u.is_active, u.id, u.public_id, u.email, u.public_name, {HELD_SQL}, {memberships.COLUMNS_SQL}
    FROM access_apitoken t
    JOIN accounts_user u ON u.id = t.user_id
    LEFT JOIN programme_membership m ON m.id = t.membership_id
    {memberships.JOINS_SQL}
    WHERE t.lookup = %s AND t.kind = %s
"""  # noqa: S608 - made of constants
_BY_USER = f"""
    SELECT u.is_active, u.id, u.public_id, u.email, u.public_name, {HELD_SQL}, {memberships.COLUMNS_SQL}
    FROM accounts_user u
    LEFT JOIN LATERAL (
        SELECT * FROM programme_membership mine WHERE mine.user_id = u.id
        ORDER BY mine.public_id = %s DESC, mine.state = 'active' DESC, mine.joined_at DESC, mine.id DESC LIMIT 1
    ) m ON true
    {memberships.JOINS_SQL}
    WHERE u.id = %s
"""  # noqa: S608 - made of constants
# A row that somebody is writing this very moment is skipped: the mark is not worth a wait.
_SEEN = """
    UPDATE access_apitoken SET last_used_at = %(now)s WHERE id = (
        SELECT id FROM access_apitoken
        WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at <= %(before)s) FOR UPDATE SKIP LOCKED
    )
"""


def caller_for_token(raw: str, now: datetime) -> Caller:
    """Who bears this token. One SQL, and one more at most once a minute, which notes that the token was used.

    Raises Unauthenticated: invalid_token, token_expired or token_revoked.
    """
    parsed = bearer.parse(raw)
    if parsed is None or parsed.kind not in KINDS:
        raise _invalid("This is not one of our tokens. Copy it again, whole: it begins with “pv_”.")
    with connection.cursor() as cursor:
        cursor.execute(_BY_TOKEN, [parsed.id, parsed.kind])
        row = cursor.fetchone()
    if row is None or not digests.same(bytes(row[2]), parsed.digest(settings.TOKEN_PEPPER)):
        raise _invalid("We do not know this token. Make a new one in the studio.")
    token_id, public_id, _, scopes, expires_at, revoked_at, seen_at, active = row[:8]
    if revoked_at is not None:
        raise Unauthenticated("token_revoked", "This token was revoked. Make a new one in the studio.")
    if now >= expires_at:
        raise Unauthenticated("token_expired", "This token has expired. Make a new one in the studio.")
    if not active:
        raise _invalid("The account of this token is closed.")
    if seen_at is None or seen_at <= now - SEEN_EVERY:
        with connection.cursor() as cursor:
            cursor.execute(_SEEN, {"id": token_id, "now": now, "before": now - SEEN_EVERY})
    actor = Actor("token", public_id, row[8])
    return _caller(row[8:], actor, frozenset(Scope(scope) for scope in scopes), public_id)


def caller_for_user(user_id: int, membership_public_id: str | None = None) -> Caller:
    """The person of a browser session. One SQL.

    With the named membership where it is theirs; else with the active one that they joined last, else the last.
    Raises Unauthenticated (not_signed_in) when the account is closed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BY_USER, [membership_public_id or "", user_id])
        row = cursor.fetchone()
    if row is None or not row[0]:
        raise Unauthenticated("not_signed_in", "Sign in to go on.")
    return _caller(row[1:], Actor("user", row[2], row[1]), None, None)


def check_may(caller: Caller, action: Action) -> None:
    """Raise NotAllowed unless `caller` may do `action` now.

    Codes: session_only, insufficient_scope, not_a_reviewer, not_an_operator, not_a_member, member_suspended,
    membership_ended, terms_not_accepted.
    """
    requirements.check(caller, requirements.NEEDS[action])


def may(caller: Caller, action: Action) -> bool:
    return requirements.hold(caller, requirements.NEEDS[action])


def check_may_issue(caller: Caller, kind: TokenKind) -> None:
    """Raise NotAllowed unless `caller` may make a token of `kind`: as a member, or as the holder of its role."""
    requirements.check(caller, _to_issue(kind))


def may_issue(caller: Caller, kind: TokenKind) -> bool:
    return requirements.hold(caller, _to_issue(kind))


def _to_issue(kind: TokenKind) -> requirements.Needs:
    permission = KINDS[kind].permission
    if permission is None:
        return requirements.NEEDS[Action.MAKE_TOKEN]
    return requirements.Needs(permission=permission, session_only=True)


def _caller(
    row: Sequence[Any], actor: Actor, scopes: frozenset[Scope] | None, token_id: str | None
) -> Caller:
    """`row`: id, public id, address and name of the person, their roles, then the membership's columns."""
    user_id, _, email, public_name, roles = row[:5]
    return Caller(
        actor=actor,
        user_id=user_id,
        email=email,
        public_name=public_name,
        membership=memberships.from_row(row[5:]),
        roles=frozenset(Role(role) for role in roles),
        scopes=scopes,
        token_id=token_id,
    )


def _invalid(sentence: str) -> Unauthenticated:
    return Unauthenticated("invalid_token", sentence)

"""Kinds of token, and the scopes that each may hold, as data; the table's constraint is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from access.scopes import Scope
from roles.roles import Permission


class TokenKind(StrEnum):
    """Stands in the token's text, so that who finds one knows what it opens."""

    ARTIST = "art"
    REVIEWER = "rev"
    OPERATOR = "opr"


@dataclass(frozen=True, slots=True)
class KindRule:
    """`permission` is what its holder must have; None for the kind that hangs on a membership instead."""

    scopes: frozenset[Scope]
    permission: Permission | None


KINDS: Mapping[TokenKind, KindRule] = {
    TokenKind.ARTIST: KindRule(frozenset({Scope.VIDEOS_READ, Scope.VIDEOS_WRITE, Scope.SHARES_WRITE}), None),
    TokenKind.REVIEWER: KindRule(frozenset({Scope.REVIEW_DECIDE}), Permission.DECIDE_CASES),
    TokenKind.OPERATOR: KindRule(frozenset({Scope.SHARES_REVOKE}), Permission.RUN_PROGRAMME),
}

"""Who asks, and all that is known of what they may: read once at the door, then handed on."""

from __future__ import annotations

from dataclasses import dataclass

from access.scopes import Scope
from core.actors import Actor
from programme.queries import MembershipView
from roles.roles import Role


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, in the studio or by a token.

    `scopes` is None in a browser session, which opens whatever the person may; `token_id` is the token's public id.
    `roles` are those that count everywhere or in the membership's programme.
    """

    actor: Actor
    user_id: int
    email: str
    public_name: str
    membership: MembershipView | None
    roles: frozenset[Role]
    scopes: frozenset[Scope] | None
    token_id: str | None

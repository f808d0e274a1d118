"""Who may work at the desk, asked again by the services: a door's answer may be a page old."""

from __future__ import annotations

from core.actors import Actor
from core.errors import NotAllowed
from roles import queries as roles
from roles.roles import Permission, permits


def check_reviews(by: Actor, programme: str | None = None) -> None:
    """Raise NotAllowed unless the actor may decide cases, of `programme` (a public id) or anywhere. One statement."""
    if not _permits(by, programme, Permission.DECIDE_CASES):
        raise NotAllowed("not_a_reviewer", "Only reviewers decide what is shown.")


def check_revokes(by: Actor, programme: str) -> None:
    """Raise NotAllowed unless the actor may revoke anybody's share in `programme`. One statement."""
    if not _permits(by, programme, Permission.REVOKE_ANY_SHARE):
        raise NotAllowed(
            "not_an_operator", "Only the artist and the programme's operators take a clip off view."
        )


def _permits(by: Actor, programme: str | None, permission: Permission) -> bool:
    return by.user_id is not None and permits(roles.roles_of(by.user_id, programme), permission)

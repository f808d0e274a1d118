"""Who may work at the desk, asked again by the services: a door's answer may be a page old."""

from __future__ import annotations

from core.actors import Actor
from core.errors import NotAllowed
from roles import queries as roles
from roles.queries import Role


def check_reviews(by: Actor) -> None:
    """Raise NotAllowed unless the actor is a reviewer. One statement."""
    if by.user_id is None or Role.REVIEWER not in roles.roles_of(by.user_id):
        raise NotAllowed("not_a_reviewer", "Only reviewers decide what is shown.")


def check_operates(by: Actor) -> None:
    """Raise NotAllowed unless the actor is an operator. One statement."""
    if by.user_id is None or Role.OPERATOR not in roles.roles_of(by.user_id):
        raise NotAllowed("not_an_operator", "Only the programme's operators do this.")

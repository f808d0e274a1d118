"""Roles are given and taken."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.queries import person
from accounts.services import people
from audit import log
from core.actors import Actor
from core.errors import Invalid, NotFound, WrongState
from roles.models import EVERYWHERE, RoleGrant
from roles.roles import Role


def grant(*, user_id: int, role: Role, by: Actor, now: datetime, scope: str = EVERYWHERE) -> bool:
    """Give the role. False, and nothing changes, when the person holds it there already.

    Who operates everything gets the Django admin too. Raises NotFound for a person who is not there.
    """
    if scope != EVERYWHERE and not scope.startswith("prg_"):
        sentence = "A role counts in one programme, or in all of them."
        raise Invalid("bad_scope", sentence, fields={"scope": sentence})
    who = person(user_id)
    with log.transaction() as events:
        try:
            with transaction.atomic():
                RoleGrant.objects.create(
                    user_id=user_id, role=role, scope=scope, granted_by=str(by), granted_at=now
                )
        except IntegrityError:
            return False
        if _opens_admin(role, scope):
            people.set_staff(user_id=user_id, staff=True, by=by, now=now)
        events.record(
            action="role.granted",
            actor=by,
            target=who.public_id,
            now=now,
            data={"role": role, "scope": scope},
        )
    return True


def revoke(*, user_id: int, role: Role, by: Actor, now: datetime, scope: str = EVERYWHERE) -> None:
    """Take the role; it counts from the next request.

    Raises NotFound when it is not held there, WrongState when nobody could operate the house afterwards.
    """
    who = person(user_id)
    with log.transaction() as events:
        # All holders are locked, so that the last two operators cannot take each other's role at once.
        held = list(
            RoleGrant.objects.select_for_update()
            .filter(role=role, scope=scope, revoked_at=None)
            .order_by("id")
        )
        mine = [given for given in held if given.user_id == user_id]
        if not mine:
            raise NotFound("role_not_held", f"This person is not {role.value} there.")
        if _opens_admin(role, scope):
            if len(held) == 1:
                raise WrongState("last_operator", "This is the only operator. Name another one first.")
            people.set_staff(user_id=user_id, staff=False, by=by, now=now)
        RoleGrant.objects.filter(id=mine[0].pk).update(revoked_at=now)
        events.record(
            action="role.revoked",
            actor=by,
            target=who.public_id,
            now=now,
            data={"role": role, "scope": scope},
        )


def _opens_admin(role: Role, scope: str) -> bool:
    return role == Role.OPERATOR and scope == EVERYWHERE

"""Who may what, as roles."""

from __future__ import annotations

from django.db.models import Q

from accounts.queries import Person, people
from roles.models import EVERYWHERE, RoleGrant
from roles.roles import ROLE_PERMISSIONS, Permission, Role

# Beside a person aliased `u` and a programme aliased `p` (which may be missing), for queries that must be one.
HELD_SQL = f"""ARRAY(
    SELECT g.role FROM roles_rolegrant g
    WHERE g.user_id = u.id AND g.revoked_at IS NULL AND g.scope IN ('{EVERYWHERE}', p.public_id)
)"""  # noqa: S608 - made of constants


def roles_of(user_id: int, scope: str | None = None) -> frozenset[Role]:
    """Roles held now: anywhere, or with `scope` (a programme's public id) those that count there."""
    held = RoleGrant.objects.filter(user_id=user_id, revoked_at=None)
    if scope is not None:
        held = held.filter(Q(scope=EVERYWHERE) | Q(scope=scope))
    return frozenset(Role(role) for role in held.values_list("role", flat=True))


def people_with(role: Role, scope: str | None = None) -> list[Person]:
    """Everybody who holds `role` now, by account id; with `scope` those for whom it counts there. Two queries."""
    held = RoleGrant.objects.filter(role=role, revoked_at=None, user__is_active=True)
    if scope is not None:
        held = held.filter(Q(scope=EVERYWHERE) | Q(scope=scope))
    found = people(held.values_list("user_id", flat=True))
    return [found[user_id] for user_id in sorted(found)]


def scopes_of(user_id: int, permission: Permission) -> frozenset[str] | None:
    """Programmes (public ids) in which somebody holds a role that carries `permission`; None: in all. One query."""
    roles = [role for role, carried in ROLE_PERMISSIONS.items() if permission in carried]
    held = RoleGrant.objects.filter(user_id=user_id, role__in=roles, revoked_at=None)
    scopes = frozenset(held.values_list("scope", flat=True))
    return None if EVERYWHERE in scopes else scopes

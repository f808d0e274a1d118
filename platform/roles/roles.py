"""Roles and what each may do, as data. A role is granted; a permission is what code asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Role(StrEnum):
    OPERATOR = "operator"
    REVIEWER = "reviewer"


class Permission(StrEnum):
    DECIDE_CASES = "decide_cases"
    REVOKE_ANY_SHARE = "revoke_any_share"
    RUN_PROGRAMME = "run_programme"
    TRACE_MARKS = "trace_marks"


ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OPERATOR: frozenset({Permission.REVOKE_ANY_SHARE, Permission.RUN_PROGRAMME, Permission.TRACE_MARKS}),
    Role.REVIEWER: frozenset({Permission.DECIDE_CASES}),
}


def permits(roles: Iterable[Role], permission: Permission) -> bool:
    """Whether one of `roles` carries `permission`."""
    return any(permission in ROLE_PERMISSIONS[role] for role in roles)

from __future__ import annotations

import pytest

from roles.roles import ROLE_PERMISSIONS, Permission, Role, permits


def test_every_role_carries_something_and_every_permission_is_carried() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role)
    assert all(ROLE_PERMISSIONS.values())
    assert frozenset().union(*ROLE_PERMISSIONS.values()) == frozenset(Permission)


@pytest.mark.parametrize(
    ("held", "may"),
    [
        (set(), set()),
        ({Role.REVIEWER}, {Permission.DECIDE_CASES}),
        ({Role.OPERATOR}, {Permission.REVOKE_ANY_SHARE, Permission.RUN_PROGRAMME, Permission.TRACE_MARKS}),
        ({Role.REVIEWER, Role.OPERATOR}, set(Permission)),
    ],
)
def test_roles_permit_exactly_what_they_carry(held: set[Role], may: set[Permission]) -> None:
    assert {permission for permission in Permission if permits(held, permission)} == may

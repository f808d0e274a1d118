from __future__ import annotations

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from access import gate
from access.gate import Action
from accounts.models import User
from audit.models import AuditEvent
from core.actors import system
from core.errors import WrongState
from roles.models import RoleGrant
from roles.queries import people_with, roles_of, scopes_of
from roles.roles import Permission, Role
from roles.services import grants
from tests.factories import people
from tests.factories.floor import at_once, refused

pytestmark = pytest.mark.django_db
HOUSE = system("test")


def test_a_role_counts_from_the_next_request_and_so_does_its_end(now: datetime) -> None:
    user_id = people.account(now)

    assert grants.grant(user_id=user_id, role=Role.REVIEWER, by=HOUSE, now=now)
    assert gate.may(gate.caller_for_user(user_id), Action.REVIEW)

    grants.revoke(user_id=user_id, role=Role.REVIEWER, by=HOUSE, now=now)
    assert not gate.may(gate.caller_for_user(user_id), Action.REVIEW)
    assert list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))[-2:] == [
        "role.granted",
        "role.revoked",
    ]


def test_a_role_held_already_is_not_given_again(now: datetime) -> None:
    user_id = people.account(now)
    grants.grant(user_id=user_id, role=Role.REVIEWER, by=HOUSE, now=now)
    events = AuditEvent.objects.count()

    assert not grants.grant(user_id=user_id, role=Role.REVIEWER, by=HOUSE, now=now)

    assert RoleGrant.objects.count() == 1
    assert AuditEvent.objects.count() == events


def test_the_table_refuses_a_second_grant_of_a_held_role(now: datetime) -> None:
    user_id = people.account(now)
    grants.grant(user_id=user_id, role=Role.REVIEWER, by=HOUSE, now=now)

    with pytest.raises(IntegrityError), transaction.atomic():
        RoleGrant.objects.create(user_id=user_id, role=Role.REVIEWER, granted_by="x", granted_at=now)


def test_a_role_can_be_given_again_after_its_end(now: datetime) -> None:
    user_id = people.account(now)
    for _ in range(2):
        assert grants.grant(user_id=user_id, role=Role.REVIEWER, by=HOUSE, now=now)
        grants.revoke(user_id=user_id, role=Role.REVIEWER, by=HOUSE, now=now)

    assert RoleGrant.objects.count() == 2


def test_a_role_in_one_programme_counts_there_alone(now: datetime) -> None:
    here, elsewhere = people.programme(now), people.programme(now)
    user_id = people.account(now)
    grants.grant(user_id=user_id, role=Role.REVIEWER, scope=here.public_id, by=HOUSE, now=now)

    assert roles_of(user_id, here.public_id) == roles_of(user_id) == {Role.REVIEWER}
    assert roles_of(user_id, elsewhere.public_id) == frozenset()
    assert [who.id for who in people_with(Role.REVIEWER, here.public_id)] == [user_id]
    assert people_with(Role.REVIEWER, elsewhere.public_id) == []
    assert scopes_of(user_id, Permission.DECIDE_CASES) == frozenset({here.public_id})
    assert scopes_of(user_id, Permission.RUN_PROGRAMME) == frozenset()
    assert not gate.may(gate.caller_for_user(user_id), Action.REVIEW)


def test_a_closed_account_is_not_counted_among_the_holders(now: datetime) -> None:
    caller = people.holder(Role.REVIEWER, now)
    User.objects.filter(id=caller.user_id).update(is_active=False)

    assert people_with(Role.REVIEWER) == []


def test_an_operator_of_everything_has_the_admin_while_the_role_lasts(now: datetime) -> None:
    people.holder(Role.OPERATOR, now)
    caller = people.holder(Role.OPERATOR, now)
    user = User.objects.get(id=caller.user_id)
    assert (user.is_staff, user.is_superuser) == (True, True)

    grants.revoke(user_id=user.pk, role=Role.OPERATOR, by=HOUSE, now=now)

    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.OPERATOR])
def test_nobody_else_has_the_admin(role: Role, now: datetime) -> None:
    scope = people.programme(now).public_id
    caller = people.holder(role, now, scope="*" if role == Role.REVIEWER else scope)

    assert not User.objects.get(id=caller.user_id).is_staff


def test_refuses_to_take_the_last_operators_role(now: datetime) -> None:
    caller = people.holder(Role.OPERATOR, now)

    with refused("last_operator"):
        grants.revoke(user_id=caller.user_id, role=Role.OPERATOR, by=HOUSE, now=now)


def test_refuses_to_take_a_role_that_is_not_held(now: datetime) -> None:
    user_id = people.account(now)

    with refused("role_not_held"):
        grants.revoke(user_id=user_id, role=Role.REVIEWER, by=HOUSE, now=now)


def test_refuses_a_scope_that_is_no_programme(now: datetime) -> None:
    user_id = people.account(now)

    with refused("bad_scope"):
        grants.grant(user_id=user_id, role=Role.REVIEWER, scope="everything", by=HOUSE, now=now)


@pytest.mark.django_db(transaction=True)
def test_the_last_two_operators_cannot_take_each_others_role_at_once(now: datetime) -> None:
    first, second = people.holder(Role.OPERATOR, now), people.holder(Role.OPERATOR, now)

    outcome = at_once(
        *(
            lambda user_id=caller.user_id: grants.revoke(
                user_id=user_id, role=Role.OPERATOR, by=HOUSE, now=now
            )
            for caller in (first, second)
        )
    )

    assert sorted(type(result).__name__ for result in outcome) == ["NoneType", "WrongState"]
    assert isinstance(next(result for result in outcome if result), WrongState)
    assert len(people_with(Role.OPERATOR)) == 1

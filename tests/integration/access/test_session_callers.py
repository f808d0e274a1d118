from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from access import gate
from access.caller import Caller
from access.gate import Action
from core.actors import Actor, system
from core.errors import Unauthenticated
from programme.services import invitations, memberships
from roles.roles import Role
from roles.services import grants
from tests.factories import people

pytestmark = pytest.mark.django_db
HOUSE = system("test")


def join(caller: Caller, now: datetime) -> int:
    """Another programme for the caller; the membership's id."""
    cohort_id = people.cohort(people.programme(now).id, now)
    secret = people.invite(cohort_id, now)
    return invitations.accept(secret=secret, user_id=caller.user_id, by=caller.actor, now=now)


@pytest.fixture
def artist(db: None, now: datetime) -> Caller:
    return people.artist(people.cohort(people.programme(now).id, now), now, name="Ada")


def chosen(caller: Caller, named: str | None = None) -> int:
    membership = gate.caller_for_user(caller.user_id, named).membership
    assert membership is not None
    return membership.id


def test_a_session_is_the_person_with_everything_they_may(artist: Caller) -> None:
    assert artist.scopes is None
    assert artist.token_id is None
    assert artist.actor == Actor("user", artist.actor.id, artist.user_id)
    assert artist.public_name == "Ada"


def test_the_active_membership_joined_last_is_taken(artist: Caller, now: datetime) -> None:
    first = chosen(artist)
    second = join(artist, now + timedelta(hours=1))
    assert chosen(artist) == second

    memberships.suspend(membership_id=second, by=HOUSE, now=now)
    assert chosen(artist) == first

    memberships.end(membership_id=first, by=HOUSE, now=now)
    assert chosen(artist) == second


def test_a_named_membership_is_taken_whatever_its_state(artist: Caller, now: datetime) -> None:
    assert artist.membership is not None
    join(artist, now + timedelta(hours=1))
    memberships.end(membership_id=artist.membership.id, by=HOUSE, now=now)

    assert chosen(artist, artist.membership.public_id) == artist.membership.id


def test_somebody_elses_membership_is_never_taken(artist: Caller, now: datetime) -> None:
    other = people.artist(people.cohort(people.programme(now).id, now), now)
    assert other.membership is not None
    assert artist.membership is not None

    assert chosen(artist, other.membership.public_id) == artist.membership.id
    nobody = gate.caller_for_user(people.account(now), other.membership.public_id)
    assert nobody.membership is None


def test_a_role_in_a_programme_counts_for_its_members_alone(artist: Caller, now: datetime) -> None:
    assert artist.membership is not None
    scope = artist.membership.programme.public_id
    grants.grant(user_id=artist.user_id, role=Role.REVIEWER, scope=scope, by=HOUSE, now=now)
    assert gate.may(gate.caller_for_user(artist.user_id), Action.REVIEW)

    join(artist, now + timedelta(hours=1))

    assert not gate.may(gate.caller_for_user(artist.user_id), Action.REVIEW)
    assert gate.may(gate.caller_for_user(artist.user_id, artist.membership.public_id), Action.REVIEW)


def test_nobody_is_not_signed_in() -> None:
    with pytest.raises(Unauthenticated) as refusal:
        gate.caller_for_user(0)
    assert refusal.value.code == "not_signed_in"

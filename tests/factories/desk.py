"""Fixtures of a programme that can be reviewed in: variants, a policy, artists, reviewers, an operator."""

from __future__ import annotations

from datetime import datetime

import pytest

from access import gate
from access.caller import Caller
from core.actors import system
from programme.queries import ProgrammeView
from roles.roles import Role
from roles.services import grants
from tests.factories import people
from tests.factories.generation import put_variants
from tests.factories.review import put_policy

__all__ = [
    "artist",
    "artist_who_reviews",
    "artist_without_policy",
    "operator",
    "operator_elsewhere",
    "reviewer",
    "reviewer_elsewhere",
    "second_artist",
    "second_reviewer",
]


@pytest.fixture
def artist_without_policy(programme: ProgrammeView, cohort_id: int, now: datetime) -> Caller:
    put_variants(programme.id, now)
    return people.artist(cohort_id, now, name="Ada Verhoeven")


@pytest.fixture
def artist(artist_without_policy: Caller, programme: ProgrammeView, now: datetime) -> Caller:
    put_policy(programme.id, now)
    return artist_without_policy


@pytest.fixture
def second_artist(cohort_id: int, now: datetime) -> Caller:
    return people.artist(cohort_id, now, name="Ben Okri")


@pytest.fixture
def reviewer(now: datetime) -> Caller:
    return people.holder(Role.REVIEWER, now, name="Rosa Lindt")


@pytest.fixture
def second_reviewer(now: datetime) -> Caller:
    return people.holder(Role.REVIEWER, now, name="Sam Toivonen")


@pytest.fixture
def reviewer_elsewhere(now: datetime) -> Caller:
    return people.holder(Role.REVIEWER, now, scope=people.programme(now).public_id)


@pytest.fixture
def operator(now: datetime) -> Caller:
    return people.holder(Role.OPERATOR, now, name="Mirre Halloran")


@pytest.fixture
def operator_elsewhere(now: datetime) -> Caller:
    """Somebody who runs another programme, and is a member of it."""
    elsewhere = people.programme(now)
    member = people.artist(people.cohort(elsewhere.id, now), now)
    grants.grant(
        user_id=member.user_id, role=Role.OPERATOR, scope=elsewhere.public_id, by=system("test"), now=now
    )
    return gate.caller_for_user(member.user_id)


@pytest.fixture
def artist_who_reviews(artist: Caller, now: datetime) -> Caller:
    grants.grant(user_id=artist.user_id, role=Role.REVIEWER, by=system("test"), now=now)
    return gate.caller_for_user(artist.user_id)

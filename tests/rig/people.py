"""A furnished programme and the people whom most tests need, as their browser sessions see them.

Factories are imported late: they need Django's apps, which are not there yet when plugins are loaded.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from access.caller import Caller
    from programme.queries import ProgrammeView


@pytest.fixture
def programme(db: None, now: datetime) -> ProgrammeView:
    """With terms, two variants and a policy in force."""
    from tests.factories import generation, people, review

    made = people.programme(now)
    generation.put_variants(made.id, now)
    review.put_policy(made.id, now)
    return made


@pytest.fixture
def cohort_id(programme: ProgrammeView, now: datetime) -> int:
    """120 seconds of clip a day."""
    from tests.factories import people

    return people.cohort(programme.id, now)


@pytest.fixture
def artist(cohort_id: int, now: datetime) -> Caller:
    from tests.factories import people

    return people.artist(cohort_id, now, name="Ada Verhoeven")


@pytest.fixture
def other_artist(cohort_id: int, now: datetime) -> Caller:
    from tests.factories import people

    return people.artist(cohort_id, now, name="Ilse Brandt")


@pytest.fixture
def artist_without_terms(cohort_id: int, now: datetime) -> Caller:
    from tests.factories import people

    return people.artist(cohort_id, now, accepted=False)


@pytest.fixture
def suspended_artist(cohort_id: int, now: datetime) -> Caller:
    from tests.factories import people

    return people.artist(cohort_id, now, state="suspended")


@pytest.fixture
def ended_artist(cohort_id: int, now: datetime) -> Caller:
    from tests.factories import people

    return people.artist(cohort_id, now, state="ended")


@pytest.fixture
def reviewer(programme: ProgrammeView, now: datetime) -> Caller:
    from roles.roles import Role
    from tests.factories import people

    return people.holder(Role.REVIEWER, now, name="Mirre Halloran")


@pytest.fixture
def other_reviewer(programme: ProgrammeView, now: datetime) -> Caller:
    from roles.roles import Role
    from tests.factories import people

    return people.holder(Role.REVIEWER, now, name="Tom Okafor")


@pytest.fixture
def operator(programme: ProgrammeView, now: datetime) -> Caller:
    from roles.roles import Role
    from tests.factories import people

    return people.holder(Role.OPERATOR, now, name="Sanne Duif")

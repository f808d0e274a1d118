"""The people of most tests: one programme, one of each kind."""

from __future__ import annotations

from datetime import datetime

import pytest

from access.caller import Caller
from programme.queries import ProgrammeView
from roles.roles import Role
from tests.factories import people
from tests.factories.generation import put_variants


@pytest.fixture(autouse=True)
def _broker(valkey: object) -> None:
    """Commits put messages on it, and progress is published through it."""


@pytest.fixture
def programme(db: None, now: datetime) -> ProgrammeView:
    """With its terms and two variants."""
    made = people.programme(now)
    put_variants(made.id, now)
    return made


@pytest.fixture
def cohort_id(programme: ProgrammeView, now: datetime) -> int:
    return people.cohort(programme.id, now)


@pytest.fixture
def artist(cohort_id: int, now: datetime) -> Caller:
    return people.artist(cohort_id, now, name="Oda Venn")


@pytest.fixture
def other_artist(cohort_id: int, now: datetime) -> Caller:
    return people.artist(cohort_id, now, name="Jun Okafor")


@pytest.fixture
def suspended_artist(cohort_id: int, now: datetime) -> Caller:
    return people.artist(cohort_id, now, name="Sasha Lind", state="suspended")


@pytest.fixture
def artist_without_terms(cohort_id: int, now: datetime) -> Caller:
    return people.artist(cohort_id, now, name="Ravi Sol", accepted=False)


@pytest.fixture
def reviewer(db: None, now: datetime) -> Caller:
    return people.holder(Role.REVIEWER, now, name="Tomas Iravel")


@pytest.fixture
def other_reviewer(db: None, now: datetime) -> Caller:
    return people.holder(Role.REVIEWER, now, name="Ines Duarte")


@pytest.fixture
def operator(db: None, now: datetime) -> Caller:
    return people.holder(Role.OPERATOR, now, name="Mirre Halloran")

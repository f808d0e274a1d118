"""Each reader costs a fixed number of queries, however many rows there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.queries import tokens_of
from core.actors import system
from programme import queries
from programme.services import cohorts, invitations, quotas, terms
from roles.queries import people_with, roles_of
from roles.roles import Role
from tests.factories import people
from tests.factories.floor import refused

pytestmark = pytest.mark.django_db
HOUSE = system("test")


@dataclass(frozen=True, slots=True)
class Of:
    """What a reader is asked about."""

    user: int
    member: int
    programme: int
    now: datetime


READERS: dict[str, tuple[int, Callable[[Of], Any]]] = {
    "memberships_of": (1, lambda of: queries.memberships_of(of.user)),
    "membership": (1, lambda of: queries.membership(of.member)),
    "members": (1, lambda of: queries.members(of.programme)),
    "cohorts": (1, lambda of: queries.cohorts(of.programme)),
    "invitations": (1, lambda of: queries.invitations(of.programme)),
    "current_terms": (1, lambda of: queries.current_terms(of.programme)),
    "terms_history": (1, lambda of: queries.terms_history(of.programme)),
    "programme": (1, lambda _: queries.programme()),
    "programmes": (1, lambda _: queries.programmes()),
    "quota_today": (2, lambda of: queries.quota_today(of.member, of.now)),
    "tokens_of": (1, lambda of: tokens_of(of.user)),
    "roles_of": (1, lambda of: roles_of(of.user)),
    "people_with": (2, lambda _: people_with(Role.REVIEWER)),
}


def furnish(programme_id: int, now: datetime) -> tuple[int, int]:
    """More of everything; the person and the member made last."""
    cohort_id = people.cohort(programme_id, now)
    caller = people.artist(cohort_id, now)
    people.invite(cohort_id, now)
    people.holder(Role.REVIEWER, now)
    assert caller.membership is not None
    quotas.reserve(membership_id=caller.membership.id, video=f"video_{caller.user_id}", seconds=4, now=now)
    for _ in range(2):
        people.token(caller, now)
    return caller.user_id, caller.membership.id


@pytest.mark.parametrize("name", READERS)
def test_a_reader_costs_the_same_when_rows_double(name: str, now: datetime) -> None:
    cost, read = READERS[name]
    programme = people.programme(now)
    counts = []
    for _ in range(2):
        user_id, member = furnish(programme.id, now)
        with CaptureQueriesContext(connection) as captured:
            assert read(Of(user_id, member, programme.id, now)) is not None
        counts.append(len(captured))

    assert counts == [cost, cost]


def test_pages_of_members_are_whole_and_do_not_overlap(now: datetime) -> None:
    programme = people.programme(now)
    cohort_id = people.cohort(programme.id, now)
    everybody = [people.artist(cohort_id, now).user_id for _ in range(5)]
    people.artist(people.cohort(people.programme(now).id, now), now)

    seen, after, pages = [], None, 0
    while True:
        page = queries.members(programme.id, after=after, limit=2)
        seen += [member.user_id for member in page.members]
        pages, after = pages + 1, page.next_after
        if after is None:
            break
        people.artist(cohort_id, now)  # who joins meanwhile does not move the pages

    assert seen == everybody[::-1]
    assert pages == 3


def test_a_full_last_page_is_known_to_be_the_last(now: datetime) -> None:
    programme = people.programme(now)
    cohort_id = people.cohort(programme.id, now)
    for _ in range(2):
        people.artist(cohort_id, now)

    assert queries.members(programme.id, limit=2).next_after is None


def test_a_cohort_counts_its_active_members(now: datetime) -> None:
    programme = people.programme(now)
    cohort_id = people.cohort(programme.id, now)
    for state in ("active", "suspended", "ended"):
        people.artist(cohort_id, now, state=state)
    people.cohort(programme.id, now)

    assert [found.members for found in queries.cohorts(programme.id)] == [1, 0]
    public_id = queries.cohorts(programme.id)[0].public_id
    assert queries.cohort(public_id) == queries.cohorts(programme.id)[0]
    assert queries.cohort("coh_nobody") is None


def test_an_invitation_is_listed_with_its_state(now: datetime) -> None:
    programme = people.programme(now)
    cohort_id = people.cohort(programme.id, now)
    people.artist(cohort_id, now)
    made = invitations.create(cohort_id=cohort_id, email="a@example.org", by=HOUSE, now=now)
    invitations.revoke(invitation=made.public_id, by=HOUSE, now=now)
    people.invite(cohort_id, now)

    rows = queries.invitations(programme.id)

    assert [row.state(now) for row in rows] == ["open", "revoked", "accepted"]
    assert rows[0].state(now + timedelta(days=14)) == "expired"


def test_a_programme_is_found_by_its_name_or_as_the_first(now: datetime) -> None:
    assert queries.programme() is None
    first, second = people.programme(now), people.programme(now)

    assert queries.programme() == first
    assert queries.programme(second.slug) == second
    assert queries.programme("unknown") is None
    assert queries.programmes() == (first, second)
    assert queries.membership(0) is None
    assert queries.membership_by_public_id("mem_nobody") is None


def test_a_membership_is_found_by_its_public_id(now: datetime) -> None:
    caller = people.artist(people.cohort(people.programme(now).id, now), now)
    assert caller.membership is not None

    assert queries.membership_by_public_id(caller.membership.public_id) == caller.membership
    assert queries.membership(caller.membership.id) == caller.membership
    assert queries.memberships_of(caller.user_id) == (caller.membership,)


def test_terms_of_another_programme_do_not_count(now: datetime) -> None:
    caller = people.artist(people.cohort(people.programme(now).id, now), now)
    terms.publish(programme_id=people.programme(now).id, text="Others'.", by=HOUSE, now=now)

    (member,) = queries.memberships_of(caller.user_id)
    assert (member.terms_current, member.terms_accepted) == (1, True)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "bad_name"),
        ({"name": "Spring"}, "name_taken"),
        ({"daily_seconds": -1}, "bad_daily_seconds"),
        ({"programme_id": 0}, "not_found"),
    ],
)
def test_a_refused_cohort_changes_nothing(changes: dict[str, Any], code: str, now: datetime) -> None:
    fields: dict[str, Any] = {"programme_id": people.programme(now).id, "name": "Spring", "daily_seconds": 60}
    cohorts.create(**fields, by=HOUSE, now=now)

    with refused(code):
        cohorts.create(**(fields | {"name": "Autumn"} | changes), by=HOUSE, now=now)
    with refused("not_found"):
        cohorts.set_daily_seconds(cohort_id=0, daily_seconds=1, by=HOUSE, now=now)

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from access import gate
from access.caller import Caller
from access.gate import Action
from audit.models import AuditEvent
from core.actors import system
from programme import queries
from programme.models import TermsAcceptance
from programme.services import programmes, terms
from tests.factories import people
from tests.factories.floor import at_once, refused

pytestmark = pytest.mark.django_db
HOUSE = system("test")


@pytest.fixture
def newcomer(db: None, now: datetime) -> Caller:
    """Signed up, and not agreed to anything yet."""
    return people.artist(people.cohort(people.programme(now).id, now), now, accepted=False)


def test_a_yes_opens_rendering_with_the_next_request(newcomer: Caller, now: datetime) -> None:
    assert newcomer.membership is not None
    assert not gate.may(newcomer, Action.RENDER)

    people.accept_terms(newcomer.membership, now)

    assert gate.may(gate.caller_for_user(newcomer.user_id), Action.RENDER)


def test_a_second_yes_changes_nothing(newcomer: Caller, now: datetime) -> None:
    assert newcomer.membership is not None
    for _ in range(2):
        people.accept_terms(newcomer.membership, now + timedelta(days=1))

    assert TermsAcceptance.objects.count() == 1
    assert AuditEvent.objects.filter(action="terms.accepted").count() == 1


def test_a_new_version_waits_for_another_yes(newcomer: Caller, now: datetime) -> None:
    assert newcomer.membership is not None
    people.accept_terms(newcomer.membership, now)
    programme_id = newcomer.membership.programme.id

    assert terms.publish(programme_id=programme_id, text=" Now with pay. ", by=HOUSE, now=now) == 2

    member = queries.membership(newcomer.membership.id)
    assert member is not None
    assert (member.terms_current, member.terms_accepted) == (2, False)
    assert not gate.may(gate.caller_for_user(newcomer.user_id), Action.RENDER)
    current = queries.current_terms(programme_id)
    assert current is not None
    assert (current.number, current.text) == (2, "Now with pay.")
    assert [version.number for version in queries.terms_history(programme_id)] == [2, 1]


@pytest.mark.parametrize("version", [0, 2, 99])
def test_refuses_a_yes_to_a_version_that_is_not_in_force(
    version: int, newcomer: Caller, now: datetime
) -> None:
    assert newcomer.membership is not None

    with refused("terms_changed") as refusal:
        terms.accept(membership_id=newcomer.membership.id, version=version, by=newcomer.actor, now=now)
    assert "version 1" in refusal.value.sentence


def test_without_terms_nobody_renders(now: datetime) -> None:
    programme = people.programme(now, published=False)
    caller = people.artist(people.cohort(programme.id, now), now, accepted=False)
    assert caller.membership is not None

    assert queries.current_terms(programme.id) is None
    assert not gate.may(caller, Action.RENDER)
    with refused("terms_changed"):
        terms.accept(membership_id=caller.membership.id, version=1, by=caller.actor, now=now)


def test_refuses_a_yes_that_is_not_the_members_own(newcomer: Caller, now: datetime) -> None:
    stranger = people.account(now)
    assert newcomer.membership is not None

    with refused("not_found"):
        terms.accept(membership_id=newcomer.membership.id, version=1, by=people.actor_of(stranger), now=now)


def test_refuses_a_yes_of_a_member_whose_time_has_ended(now: datetime) -> None:
    caller = people.artist(people.cohort(people.programme(now).id, now), now, state="ended", accepted=False)
    assert caller.membership is not None

    with refused("membership_ended"):
        terms.accept(membership_id=caller.membership.id, version=1, by=caller.actor, now=now)


@pytest.mark.parametrize(
    ("text", "code"), [("", "bad_text"), ("  ", "bad_text"), ("x" * 100_001, "bad_text")]
)
def test_refuses_terms_without_words(text: str, code: str, now: datetime) -> None:
    programme = people.programme(now)

    with refused(code):
        terms.publish(programme_id=programme.id, text=text, by=HOUSE, now=now)
    with refused("not_found"):
        terms.publish(programme_id=0, text="x", by=HOUSE, now=now)


@pytest.mark.parametrize("table", ["programme_termsversion", "programme_termsacceptance"])
@pytest.mark.parametrize("sql", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_was_published_and_agreed_to_only_grows(
    table: str, sql: str, newcomer: Caller, now: datetime
) -> None:
    assert newcomer.membership is not None
    people.accept_terms(newcomer.membership, now)

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql.format(table))


@pytest.mark.django_db(transaction=True)
def test_versions_published_at_once_are_numbered_without_a_gap(now: datetime) -> None:
    programme = people.programme(now, published=False)

    numbers = at_once(
        *(partial(terms.publish, programme_id=programme.id, text="x", by=HOUSE, now=now) for _ in range(4))
    )

    assert sorted(numbers) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"slug": "two words"}, "bad_slug"),
        ({"slug": "x" * 61}, "bad_slug"),
        ({"slug": "taken"}, "slug_taken"),
        ({"name": " "}, "bad_name"),
        ({"mark_text": "x" * 25}, "bad_mark_text"),
        ({"mark_text": "Świt"}, "bad_mark_text"),
        ({"timezone": "Mars/Olympus"}, "bad_timezone"),
    ],
)
def test_a_refused_programme_changes_nothing(changes: dict[str, str], code: str, now: datetime) -> None:
    fields = {"slug": "taken", "name": "Early", "mark_text": "Early", "timezone": "UTC"}
    programmes.create(**fields, by=HOUSE, now=now)

    with refused(code):
        programmes.create(**(fields | {"slug": "free"} | changes), by=HOUSE, now=now)


def test_an_accent_typed_after_its_letter_is_drawn_with_it(now: datetime) -> None:
    programmes.create(slug="cafe", name="Café", mark_text="Cafe\u0301", timezone="UTC", by=HOUSE, now=now)

    made = queries.programme("cafe")
    assert made is not None
    assert made.mark_text == "Caf\u00e9"

from __future__ import annotations

from datetime import datetime

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from access import gate
from accounts import queries
from accounts.models import User
from accounts.services import people
from audit.models import AuditEvent
from core.actors import system
from core.errors import Unauthenticated
from tests.factories import people as made
from tests.factories.floor import refused

pytestmark = pytest.mark.django_db
HOUSE = system("test")


def test_an_account_signs_in_with_its_address_however_typed(now: datetime) -> None:
    who = people.create(email="Ada@Example.org", password=made.PASSWORD, by=HOUSE, now=now)

    assert who.email == "ada@example.org"
    signed_in = authenticate(None, email="ADA@example.ORG", password=made.PASSWORD)
    assert signed_in is not None
    assert signed_in.pk == who.id
    assert AuditEvent.objects.filter(action="account.created", target=who.public_id).count() == 1


def test_without_a_password_nobody_signs_in(now: datetime) -> None:
    people.create(email="ada@example.org", password=None, by=HOUSE, now=now)

    assert authenticate(None, email="ada@example.org", password="") is None
    assert not User.objects.get().has_usable_password()


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        ("no address", made.PASSWORD, "bad_email"),
        ("ada@example.org", "1234", "weak_password"),
        ("TAKEN@example.org", made.PASSWORD, "email_taken"),
    ],
)
def test_a_refused_account_changes_nothing(email: str, password: str, code: str, now: datetime) -> None:
    people.create(email="taken@example.org", password=made.PASSWORD, by=HOUSE, now=now)

    with refused(code):
        people.create(email=email, password=password, by=HOUSE, now=now)


def test_the_table_refuses_two_addresses_that_differ_in_case(now: datetime) -> None:
    made.account(now, email="ada@example.org")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="ADA@example.org", date_joined=now)


def test_the_table_refuses_a_control_character_in_a_name(now: datetime) -> None:
    user_id = made.account(now)

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(id=user_id).update(public_name="Ada\x1b[31m")


def test_chooses_a_public_name_and_notes_it_once(now: datetime) -> None:
    user_id = made.account(now)

    for _ in range(2):
        people.choose_public_name(user_id=user_id, name=" Ada  Verhoeven", by=HOUSE, now=now)

    assert queries.person(user_id).public_name == "Ada Verhoeven"
    assert AuditEvent.objects.filter(action="account.named").count() == 1


def test_a_refused_name_changes_nothing(now: datetime) -> None:
    user_id = made.account(now, name="Ada")

    with refused("bad_public_name"):
        people.choose_public_name(user_id=user_id, name="\u202eevil", by=HOUSE, now=now)


def test_a_closed_account_is_out_with_the_next_request(now: datetime) -> None:
    user_id = made.account(now)
    browser = Client()
    browser.force_login(User.objects.get(id=user_id), "allauth.account.auth_backends.AuthenticationBackend")

    for _ in range(2):
        people.deactivate(user_id=user_id, by=HOUSE, now=now)

    assert authenticate(None, email=queries.person(user_id).email, password=made.PASSWORD) is None
    with pytest.raises(Unauthenticated):
        gate.caller_for_user(user_id)
    assert AuditEvent.objects.filter(action="account.deactivated").count() == 1


def test_a_verified_address_is_the_primary_one(now: datetime) -> None:
    user_id = made.account(now, email="ada@example.org")
    EmailAddress.objects.create(user_id=user_id, email="old@example.org", primary=True, verified=False)

    people.verify_email(user_id=user_id, email="Ada@example.org", now=now)

    rows = EmailAddress.objects.filter(user_id=user_id).values_list("email", "verified", "primary")
    assert set(rows) == {("ada@example.org", True, True), ("old@example.org", False, False)}


def test_names_anybody_in_one_query(now: datetime, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ids = [made.account(now, name=f"Person {number}") for number in range(5)]

    with django_assert_num_queries(1):
        found = queries.people([*ids, *ids, 10**9])

    assert [found[user_id].public_name for user_id in ids] == [f"Person {number}" for number in range(5)]
    assert len(found) == 5


def test_nobody_is_found_where_there_is_nobody(now: datetime) -> None:
    assert queries.by_email("nobody@example.org") is None
    with refused("not_found"):
        queries.person(10**9)
    for change in (people.deactivate, people.choose_public_name):
        extra = {"name": "Ada"} if change is people.choose_public_name else {}
        with refused("not_found"):
            change(user_id=10**9, by=HOUSE, now=now, **extra)

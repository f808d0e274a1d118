"""Invitation, account, name and terms: nothing opens before its turn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.test import Client

from access import gate
from access.caller import Caller
from core.actors import system
from programme.models import Membership
from programme.services import invitations
from tests.factories import people

SignIn = Callable[[Caller], Client]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]
PASSWORD = "four plain words here"


@pytest.fixture
def link(cohort_id: int, now: datetime) -> str:
    return f"/invitation/{people.invite(cohort_id, now, email='ruta@elmsley.example')}"


def test_an_invitation_makes_an_account_whose_address_is_proved_and_signs_it_in(link: str) -> None:
    client = Client()

    answer = client.post(link, {"password": PASSWORD})

    assert answer["Location"] == "/welcome"
    assert client.get("/studio")["Location"] == "/welcome"
    assert EmailAddress.objects.get().verified
    assert get_user_model().objects.filter(email="ruta@elmsley.example").count() == 1


def test_a_link_works_once(link: str) -> None:
    Client().post(link, {"password": PASSWORD})

    again = Client().post(link, {"password": PASSWORD})

    assert again.status_code == 410
    assert "was used" in again.content.decode()
    assert Membership.objects.count() == 1


def test_a_weak_password_is_refused_and_makes_nothing(link: str) -> None:
    answer = Client().post(link, {"password": "123"})

    assert answer.status_code == 422
    assert answer.content.decode().count("aria-invalid") == 1
    assert not get_user_model().objects.exists()
    assert Client().get(link).status_code == 200


def test_a_link_that_has_ended_or_never_was_says_so(
    link: str, stopped_clock: time_machine.Traveller, cohort_id: int, now: datetime
) -> None:
    assert Client().get("/invitation/pv_inv_nonsense").status_code == 404
    stopped_clock.shift(timedelta(days=15))

    ended = Client().get(link)

    assert ended.status_code == 410
    assert "This invitation ended on" in ended.content.decode()


def test_there_is_no_other_way_to_an_account(client: Client) -> None:
    body = {"email": "somebody@example.org", "password1": PASSWORD, "password2": PASSWORD}

    answer = client.post("/accounts/signup/", body)

    assert answer.status_code == 200
    assert "invitation" in answer.content.decode()
    assert not get_user_model().objects.exists()


def test_an_address_that_has_an_account_signs_in_and_joins(link: str, now: datetime, sign_in: SignIn) -> None:
    person = people.account(now, name="Ruta", email="ruta@elmsley.example")

    refused = Client().post(link, {"password": PASSWORD})
    joined = sign_in(gate.caller_for_user(person)).post(link)

    assert refused.status_code == 409
    assert "has an account" in refused.content.decode()
    assert joined["Location"] == "/welcome"
    assert Membership.objects.get().user_id == person


def test_the_welcome_takes_both_a_name_and_a_yes_or_nothing(
    artist_without_terms: Caller, sign_in: SignIn
) -> None:
    client = sign_in(artist_without_terms)

    unanswered = client.post("/welcome", {"name": "Ada", "version": "1"})
    nameless = client.post("/welcome", {"name": "", "version": "1", "yes": "on"})
    outdated = client.post("/welcome", {"name": "Ada", "version": "7", "yes": "on"})

    assert {unanswered.status_code, nameless.status_code, outdated.status_code} == {422}
    caller = gate.caller_for_user(artist_without_terms.user_id)
    assert caller.membership is not None
    assert not caller.membership.terms_accepted
    assert caller.public_name == artist_without_terms.public_name
    assert client.post("/welcome", {"name": "Ada", "version": "1", "yes": "on"})["Location"] == "/studio"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/studio", {"prompt": "a boat"}),
        ("/studio/tokens", {"name": "x", "scopes": "videos:read", "days": "7"}),
    ],
)
def test_before_the_terms_there_is_no_render_and_no_token(
    artist_without_terms: Caller, sign_in: SignIn, path: str, body: dict[str, str]
) -> None:
    from access.models import ApiToken
    from generation.models import Video

    sign_in(artist_without_terms).post(path, body)

    assert not Video.objects.exists()
    assert not ApiToken.objects.exists()


def test_a_revoked_invitation_opens_nothing(cohort_id: int, now: datetime) -> None:
    made = invitations.create(cohort_id=cohort_id, email="a@example.org", by=system("test"), now=now)
    invitations.revoke(invitation=made.public_id, by=system("test"), now=now)

    answer = Client().get(made.link)

    assert answer.status_code == 410
    assert "taken back" in answer.content.decode()
    assert Client().post(made.link, {"password": PASSWORD}).status_code == 410
    assert not get_user_model().objects.exists()


def test_an_invitation_tells_its_end_in_the_time_of_its_programme(link: str, now: datetime) -> None:
    ends = (now + timedelta(days=14)).astimezone(ZoneInfo(people.ZONE))

    assert f"{ends.day} {ends:%B, %H:%M}" in Client().get(link).content.decode()


def test_whoever_is_in_already_joins_no_second_time(artist: Caller, link: str, sign_in: SignIn) -> None:
    answer = sign_in(artist).post(link)

    assert answer.status_code == 409
    assert "already" in answer.content.decode()
    assert Membership.objects.count() == 1
    assert Client().get(link).status_code == 200


def test_signing_in_is_refused_after_many_wrong_passwords(client: Client, now: datetime) -> None:
    people.account(now, email="ruta@elmsley.example")
    body = {"login": "ruta@elmsley.example", "password": "wrong"}

    for _ in range(6):
        client.post("/accounts/login/", body)
    answer = client.post("/accounts/login/", {**body, "password": people.PASSWORD})

    assert answer.status_code in {200, 429}
    assert "_auth_user_id" not in client.session


def test_too_many_tries_are_answered_in_the_look_of_the_house(client: Client) -> None:
    for _ in range(6):
        answer = client.post("/accounts/password/reset/", {"email": "nobody@example.org"})

    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()

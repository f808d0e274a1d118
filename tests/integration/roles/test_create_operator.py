from __future__ import annotations

import io
from datetime import datetime

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from accounts.models import User
from roles.queries import roles_of
from roles.roles import Role
from tests.factories import people
from tests.factories.floor import everything

pytestmark = pytest.mark.django_db
EMAIL = "sanne@example.org"


def create(monkeypatch: pytest.MonkeyPatch, *, email: str = EMAIL, password: str = people.PASSWORD) -> str:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    call_command("create_operator", email, "--password-stdin", stdout=out)
    return out.getvalue()


def test_makes_an_account_that_signs_in_and_operates(monkeypatch: pytest.MonkeyPatch) -> None:
    assert create(monkeypatch) == f"{EMAIL} is an operator now. Sign in to begin.\n"

    user = User.objects.get(email=EMAIL)
    assert authenticate(None, email=EMAIL, password=people.PASSWORD) == user
    assert roles_of(user.pk) == {Role.OPERATOR}
    assert user.is_staff
    assert EmailAddress.objects.filter(user=user, email=EMAIL, verified=True, primary=True).exists()


def test_a_second_run_changes_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    create(monkeypatch)
    before = everything()

    assert create(monkeypatch, password="another one, just as long") == (
        f"{EMAIL} is an operator already. Nothing was changed.\n"
    )

    assert everything() == before


def test_gives_the_role_to_an_account_that_exists_and_leaves_its_password(
    monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    user_id = people.account(now, email=EMAIL)

    assert "signs in with the password of that account" in create(monkeypatch, password="")

    assert roles_of(user_id) == {Role.OPERATOR}
    assert authenticate(None, email=EMAIL, password=people.PASSWORD) is not None


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "12345678"), (EMAIL, ""), ("nobody", people.PASSWORD)]
)
def test_refuses_a_weak_password_or_a_bad_address_and_makes_nothing(
    monkeypatch: pytest.MonkeyPatch, email: str, password: str
) -> None:
    before = everything()

    with pytest.raises(CommandError):
        create(monkeypatch, email=email, password=password)

    assert everything() == before


def test_asks_at_a_terminal_and_wants_the_same_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([people.PASSWORD, "something else"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    with pytest.raises(CommandError, match="not the same"):
        call_command("create_operator", EMAIL)

    assert not User.objects.exists()


def test_says_what_to_do_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError, match="--password-stdin"):
        call_command("create_operator", EMAIL)

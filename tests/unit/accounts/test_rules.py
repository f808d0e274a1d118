from __future__ import annotations

import pytest

from accounts import rules
from core.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Ada Verhoeven", "Ada Verhoeven"),
        ("  Ada   Verhoeven ", "Ada Verhoeven"),
        ("Ada\u00a0Verhoeven", "Ada Verhoeven"),
        ("Jose\u0301", "José"),
        ("葛飾北斎", "葛飾北斎"),
        ("x" * 60, "x" * 60),
    ],
)
def test_stores_a_public_name_in_one_form(typed: str, stored: str) -> None:
    assert rules.public_name(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "x" * 61,
        "Ada\nVerhoeven",
        "Ada\0",
        "\x1b[31mAda",
        "\u202eadA",
        "Ada\u200b",
        "Ada\u2028",
        "\ue000",
    ],
)
def test_refuses_a_public_name_that_cannot_be_shown(typed: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.public_name(typed)

    assert refusal.value.code == "bad_public_name"
    assert "public_name" in refusal.value.fields


def test_keeps_addresses_in_lower_case() -> None:
    assert rules.email_address(" Ada@Example.ORG ") == "ada@example.org"


@pytest.mark.parametrize(
    "typed", ["", "ada", "ada@", "@example.org", "a b@example.org", "a" * 250 + "@example.org", "a@b\n.org"]
)
def test_refuses_what_is_no_address(typed: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.email_address(typed)

    assert set(refusal.value.fields) == {"email"}


@pytest.mark.parametrize("password", ["", "short", "password", "12345678", "ada.verhoeven@example.org"])
def test_refuses_a_weak_password_and_says_why(password: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.check_password(password, email="ada.verhoeven@example.org")

    assert refusal.value.code == "weak_password"
    assert refusal.value.fields["password"]


def test_takes_a_good_password() -> None:
    rules.check_password("a harbour in the fog, at four", email="ada@example.org")

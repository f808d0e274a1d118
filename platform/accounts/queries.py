"""Who somebody is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import User
from core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Person:
    """`public_name` is empty until chosen."""

    id: int
    public_id: str
    email: str
    public_name: str


def person(user_id: int) -> Person:
    """NotFound when there is none."""
    found = people([user_id]).get(user_id)
    if found is None:
        raise NotFound("not_found", "There is no such account.")
    return found


def by_email(email: str) -> Person | None:
    """However the address is typed."""
    return _one(email=email.strip().lower())


def by_public_id(public_id: str) -> Person | None:
    return _one(public_id=public_id)


def people(ids: Iterable[int]) -> dict[int, Person]:
    """One query for any number; who is not there is left out."""
    rows = User.objects.filter(id__in=set(ids)).values_list("id", "public_id", "email", "public_name")
    return {row[0]: Person(*row) for row in rows}


def names(public_ids: Iterable[str]) -> dict[str, str]:
    """How to call the people of these public ids: public name, else address. One query; others are left out."""
    rows = User.objects.filter(public_id__in=set(public_ids)).values_list("public_id", "public_name", "email")
    return {public_id: name or email for public_id, name, email in rows}


def _one(**where: str) -> Person | None:
    row = User.objects.filter(**where).values_list("id", "public_id", "email", "public_name").first()
    return Person(*row) if row else None

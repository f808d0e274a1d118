"""Accounts come into being, get a name, and are closed."""

from __future__ import annotations

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from accounts import rules
from accounts.models import User
from accounts.queries import Person
from audit import log
from core.actors import Actor, system
from core.errors import NotFound, WrongState


def create(*, email: str, password: str | None, by: Actor, now: datetime) -> Person:
    """A new account. With `password` None nobody can sign in before a reset.

    Raises Invalid (bad_email, weak_password) or WrongState (email_taken).
    """
    address = rules.email_address(email)
    if password is not None:
        rules.check_password(password, email=address)
    with log.transaction() as events:
        try:
            with transaction.atomic():
                user = User.objects.create_user(address, password, date_joined=now)
        except IntegrityError:
            raise WrongState("email_taken", "There is an account with this address already.") from None
        events.record(action="account.created", actor=by, target=user.public_id, now=now)
    return Person(user.pk, user.public_id, user.email, user.public_name)


def choose_public_name(*, user_id: int, name: str, by: Actor, now: datetime) -> str:
    """Set the name that visitors see and return it as stored. Raises Invalid (bad_public_name)."""
    chosen = rules.public_name(name)
    with log.transaction() as events:
        user = _locked(user_id)
        if user.public_name != chosen:
            user.public_name = chosen
            user.save(update_fields=["public_name"])
            events.record(action="account.named", actor=by, target=user.public_id, now=now)
    return chosen


def deactivate(*, user_id: int, by: Actor, now: datetime) -> None:
    """Close the account: sessions and tokens end with their next request. Rows stay. Twice is once."""
    with log.transaction() as events:
        user = _locked(user_id)
        if user.is_active:
            user.is_active = False
            user.save(update_fields=["is_active"])
            events.record(action="account.deactivated", actor=by, target=user.public_id, now=now)


def verify_email(*, user_id: int, email: str, now: datetime, by: Actor = system("sign-up")) -> None:  # noqa: B008 - frozen
    """Note that the address is the person's: they used a link that was mailed to it."""
    address = rules.email_address(email)
    with log.transaction() as events:
        user = _locked(user_id)
        EmailAddress.objects.filter(user_id=user_id, primary=True).exclude(email=address).update(
            primary=False
        )
        EmailAddress.objects.update_or_create(
            user_id=user_id, email=address, defaults={"verified": True, "primary": True}
        )
        events.record(action="account.email_verified", actor=by, target=user.public_id, now=now)


def set_staff(*, user_id: int, staff: bool, by: Actor, now: datetime) -> None:
    """Open or close the Django admin to a person, whole: its pages themselves say what cannot be edited."""
    with log.transaction() as events:
        user = _locked(user_id)
        if user.is_staff != staff:
            user.is_staff = user.is_superuser = staff
            user.save(update_fields=["is_staff", "is_superuser"])
            action = "account.admin_opened" if staff else "account.admin_closed"
            events.record(action=action, actor=by, target=user.public_id, now=now)


def _locked(user_id: int) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound("not_found", "There is no such account.")
    return user

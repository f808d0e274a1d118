"""Sign-up: an invitation makes an account, proves its address and joins the programme, all or nothing."""

from __future__ import annotations

from datetime import datetime

from accounts.queries import by_email
from accounts.services import people
from audit import log
from core.actors import Actor
from core.errors import WrongState
from programme.services import invitations


def sign_up(*, secret: str, password: str, now: datetime, by: Actor | None = None) -> int:
    """Make the account for the address that was invited, and return the person's id.

    The link was mailed to that address, so using it verifies the address. Without `by` the new person acts.
    Raises what `invitations.look_up` raises, WrongState (account_exists) or Invalid (weak_password).
    """
    with log.transaction():
        invitation = invitations.look_up(secret, now)
        if by_email(invitation.email) is not None:
            raise _account_exists(invitation.email)
        try:
            who = people.create(
                email=invitation.email, password=password, by=by or Actor("system", "sign-up"), now=now
            )
        except WrongState:
            raise _account_exists(invitation.email) from None  # somebody was quicker, by a moment
        actor = by or Actor("user", who.public_id, who.id)
        people.verify_email(user_id=who.id, email=who.email, by=actor, now=now)
        invitations.accept(secret=secret, user_id=who.id, by=actor, now=now)
    return who.id


def _account_exists(email: str) -> WrongState:
    return WrongState(
        "account_exists",
        f"{email} has an account already. Sign in with it, then open the invitation's link again.",
    )

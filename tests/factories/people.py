"""A programme and the people in it, made by the real services: invited, signed up, terms accepted."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from access import gate
from access.caller import Caller
from access.kinds import KINDS, TokenKind
from access.services import tokens
from access.services.tokens import IssuedToken
from accounts.queries import person
from accounts.services import people
from core.actors import Actor, system
from programme import queries
from programme.queries import MembershipView, ProgrammeView
from programme.services import admit, cohorts, invitations, memberships, programmes, terms
from roles.roles import Role
from roles.services import grants

PASSWORD = "a harbour in the fog, at four"
DAILY_SECONDS = 120
ZONE = "Europe/Amsterdam"
HOUSE = system("test")

_numbers = count(1)


def actor_of(user_id: int) -> Actor:
    return Actor("user", person(user_id).public_id, user_id)


def account(now: datetime, *, name: str = "", email: str = "") -> int:
    """An account without a role and without a membership; its id."""
    who = people.create(
        email=email or f"person{next(_numbers)}@example.org", password=PASSWORD, by=HOUSE, now=now
    )
    if name:
        people.choose_public_name(user_id=who.id, name=name, by=HOUSE, now=now)
    return who.id


def programme(now: datetime, *, zone: str = ZONE, published: bool = True) -> ProgrammeView:
    """A programme with version 1 of its terms in force, unless `published` is False."""
    slug = f"programme-{next(_numbers)}"
    programme_id = programmes.create(
        slug=slug, name="Early Light", mark_text="Early Light", timezone=zone, by=HOUSE, now=now
    )
    if published:
        terms.publish(programme_id=programme_id, text="What you make is yours.", by=HOUSE, now=now)
    found = queries.programme(slug)
    assert found is not None
    return found


def cohort(programme_id: int, now: datetime, *, daily_seconds: int = DAILY_SECONDS) -> int:
    return cohorts.create(
        programme_id=programme_id,
        name=f"Cohort {next(_numbers)}",
        daily_seconds=daily_seconds,
        by=HOUSE,
        now=now,
    )


def invite(cohort_id: int, now: datetime, *, email: str = "", by: Actor = HOUSE) -> str:
    """The secret of a new invitation."""
    made = invitations.create(
        cohort_id=cohort_id, email=email or f"guest{next(_numbers)}@example.org", by=by, now=now
    )
    return made.link.removeprefix("/invitation/")


def accept_terms(member: MembershipView, now: datetime) -> None:
    assert member.terms_current is not None
    terms.accept(membership_id=member.id, version=member.terms_current, by=actor_of(member.user_id), now=now)


def artist(
    cohort_id: int, now: datetime, *, name: str = "", state: str = "active", accepted: bool = True
) -> Caller:
    """Somebody who came by an invitation into the cohort, as their browser session sees them."""
    user_id = admit.sign_up(secret=invite(cohort_id, now), password=PASSWORD, now=now)
    if name:
        people.choose_public_name(user_id=user_id, name=name, by=actor_of(user_id), now=now)
    (member,) = queries.memberships_of(user_id)
    if accepted:
        accept_terms(member, now)
    if state == "suspended":
        memberships.suspend(membership_id=member.id, by=HOUSE, now=now)
    elif state == "ended":
        memberships.end(membership_id=member.id, by=HOUSE, now=now)
    return gate.caller_for_user(user_id)


def holder(role: Role, now: datetime, *, name: str = "", scope: str = "*") -> Caller:
    """Somebody with a role and no membership, as their browser session sees them."""
    user_id = account(now, name=name)
    grants.grant(user_id=user_id, role=role, scope=scope, by=HOUSE, now=now)
    return gate.caller_for_user(user_id)


def token(
    caller: Caller,
    now: datetime,
    *,
    kind: TokenKind = TokenKind.ARTIST,
    scopes: frozenset[str] | None = None,
    days: int = 90,
) -> IssuedToken:
    """A token of the caller, with every scope of its kind unless told."""
    held = KINDS[kind].scopes if scopes is None else scopes
    return tokens.issue(caller=caller, kind=kind, name="laptop", scopes=held, days=days, now=now)

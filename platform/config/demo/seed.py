"""Puts the demo's programme in place, step by step; each step looks first, so that a second run changes nothing.

Everything goes through the services that a real programme uses: invitations are mailed and accepted, clips are
rendered by the worker's own loop, a reviewer takes and decides a case.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from access import gate
from access import queries as access
from access.caller import Caller
from access.kinds import KINDS, TokenKind
from access.services import tokens
from accounts import queries as accounts
from accounts.services import people
from audit import log
from config.demo import story, texts
from config.demo.clips import put_clips
from config.demo.looks import put_looks
from config.demo.story import Guest
from core import clock
from core.actors import Actor, system
from core.errors import WrongState
from generation import queries as generation
from generation.services import variants
from programme import queries
from programme.queries import ProgrammeView
from programme.services import admit, cohorts, invitations, programmes, terms
from review import queries as review
from review.services import policies
from review.services.policies import Reason
from roles.roles import Role
from roles.services import grants

logger = logging.getLogger(__name__)
HOUSE = system("seed_demo")
ROLES = {"operator": Role.OPERATOR, "reviewer": Role.REVIEWER}


@dataclass(frozen=True, slots=True)
class Seeded:
    """`token` is an artist's, made anew by each run: its secret cannot be shown twice."""

    programme: ProgrammeView
    token: str


def seed() -> Seeded:
    """Raises WrongState on an installation that runs a programme of its own."""
    _check_empty_or_ours()
    for guest in story.STAFF:
        _put_staff(guest)
    programme = _put_programme()
    _put_rules(programme)
    put_looks(programme, by=_actor(story.OPERATOR))
    cohort = _put_cohort(programme)
    for guest in story.ARTISTS:
        _put_artist(guest, programme, cohort)
    put_clips(programme)
    return Seeded(programme, _fresh_token(caller_of(story.ARTISTS[0])))


def caller_of(guest: Guest) -> Caller:
    person = accounts.by_email(guest.email)
    if person is None:
        raise LookupError(guest.email)
    return gate.caller_for_user(person.id)


def _check_empty_or_ours() -> None:
    if any(programme.slug != story.SLUG for programme in queries.programmes()):
        raise WrongState(
            "not_a_demo",
            "This installation runs a programme already. The demo's passwords are public; we do not put it beside one.",
        )


def _put_staff(guest: Guest) -> None:
    """Whole or not at all: a role that an operator has taken since is not given back."""
    if accounts.by_email(guest.email) is not None:
        return
    now = clock.now()
    with log.transaction():
        person = people.create(email=guest.email, password=guest.password, by=HOUSE, now=now)
        people.verify_email(user_id=person.id, email=guest.email, by=HOUSE, now=now)
        people.choose_public_name(user_id=person.id, name=guest.name, by=HOUSE, now=now)
        grants.grant(user_id=person.id, role=ROLES[guest.role], by=HOUSE, now=now)


def _put_programme() -> ProgrammeView:
    if queries.programme(story.SLUG) is None:
        programmes.create(
            slug=story.SLUG,
            name=story.PROGRAMME,
            mark_text=story.MARK,
            timezone=story.TIMEZONE,
            by=_actor(story.OPERATOR),
            now=clock.now(),
        )
    found = queries.programme(story.SLUG)
    if found is None:
        raise LookupError(story.SLUG)
    return found


def _put_rules(programme: ProgrammeView) -> None:
    """Terms, policy and variants; a version that somebody has published since is left in force."""
    by = _actor(story.OPERATOR)
    if queries.current_terms(programme.id) is None:
        terms.publish(programme_id=programme.id, text=texts.TERMS, by=by, now=clock.now())
    if review.current_policy(programme.id) is None:
        reasons = [Reason(r.code, r.title, r.explanation, r.may_be_used) for r in texts.REASONS]
        policies.publish(
            programme_id=programme.id, text=texts.POLICY, reasons=reasons, by=by, now=clock.now()
        )
    there = {variant.slug for variant in generation.variants(programme.id)}
    for spec in story.VARIANTS:
        if spec.slug not in there:
            variants.put(
                programme_id=programme.id, programme=programme.public_id, spec=spec, by=by, now=clock.now()
            )


def _put_cohort(programme: ProgrammeView) -> int:
    found = next((row for row in queries.cohorts(programme.id) if row.name == story.COHORT), None)
    if found is not None:
        return found.id
    return cohorts.create(
        programme_id=programme.id,
        name=story.COHORT,
        daily_seconds=story.DAILY_SECONDS,
        by=_actor(story.OPERATOR),
        now=clock.now(),
    )


def _put_artist(guest: Guest, programme: ProgrammeView, cohort: int) -> None:
    """Invited, signed up with the link, named, terms read: as an artist does it in the browser."""
    now = clock.now()
    if accounts.by_email(guest.email) is None:
        made = invitations.create(cohort_id=cohort, email=guest.email, by=_actor(story.OPERATOR), now=now)
        secret = made.link.rpartition("/")[2]
        admit.sign_up(secret=secret, password=guest.password, now=now)
    caller = caller_of(guest)
    if not caller.public_name:
        people.choose_public_name(user_id=caller.user_id, name=guest.name, by=caller.actor, now=now)
    for member in _new_to_the_terms(caller, programme):
        terms.accept(membership_id=member[0], version=member[1], by=caller.actor, now=now)


def _new_to_the_terms(caller: Caller, programme: ProgrammeView) -> Iterable[tuple[int, int]]:
    """Only the first version is accepted for them: a later yes is theirs to give."""
    for member in queries.memberships_of(caller.user_id):
        if member.programme.id == programme.id and member.terms_current == 1 and not member.terms_accepted:
            yield member.id, member.terms_current


def _fresh_token(caller: Caller) -> str:
    for token in access.tokens_of(caller.user_id):
        if token.name == story.TOKEN_NAME and token.revoked_at is None:
            tokens.revoke(token=token.public_id, by=caller.actor, now=clock.now())
    if not gate.may_issue(caller, TokenKind.ARTIST):
        logger.warning("%s cannot make a token now: suspended, or new terms wait for a yes", caller.email)
        return ""
    issued = tokens.issue(
        caller=caller,
        kind=TokenKind.ARTIST,
        name=story.TOKEN_NAME,
        scopes=KINDS[TokenKind.ARTIST].scopes,
        now=clock.now(),
    )
    return issued.secret


def _actor(guest: Guest) -> Actor:
    return caller_of(guest).actor

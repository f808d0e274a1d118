"""Invitations are mailed, used once, or taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import rules as account_rules
from accounts.queries import by_public_id, person
from audit import log, mail
from core import bearer
from core.actors import Actor
from core.errors import Invalid, NotFound, WrongState
from programme import rules
from programme.models import Cohort, Invitation, Membership

KIND = "inv"
LONGEST_DAYS = 90


@dataclass(frozen=True, slots=True)
class CreatedInvitation:
    """`link` is the path with the secret: it exists here and in the mail, and nowhere else."""

    public_id: str
    link: str
    email: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InvitationView:
    """What the sign-up page shows before anybody has an account."""

    public_id: str
    email: str
    programme: str
    programme_slug: str
    timezone: str
    cohort: str
    daily_seconds: int
    invited_by: str
    expires_at: datetime


def create(*, cohort_id: int, email: str, by: Actor, now: datetime, days: int = 14) -> CreatedInvitation:
    """Invite an address into a cohort, and mail it the link.

    Raises Invalid (bad_email, bad_days), NotFound, or WrongState (already_a_member).
    """
    address = account_rules.email_address(email)
    if not 1 <= days <= LONGEST_DAYS:
        sentence = f"An invitation lasts 1 to {LONGEST_DAYS} days."
        raise Invalid("bad_days", sentence, fields={"days": sentence})
    secret = bearer.make(KIND)
    with log.transaction() as events:
        cohort = Cohort.objects.select_related("programme").filter(id=cohort_id).first()
        if cohort is None:
            raise NotFound("not_found", "There is no such cohort.")
        if Membership.objects.filter(programme=cohort.programme, user__email=address).exists():
            raise WrongState("already_a_member", f"{address} is a member of {cohort.programme.name} already.")
        row = Invitation.objects.create(
            cohort=cohort,
            email=address,
            lookup=secret.id,
            digest=secret.digest(settings.TOKEN_PEPPER),
            invited_by=str(by),
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        link = f"/invitation/{secret.text}"
        _mail(row, cohort, link, now)
        events.record(
            action="invitation.created",
            actor=by,
            target=row.public_id,
            now=now,
            data={"cohort": cohort.public_id},
        )
    return CreatedInvitation(row.public_id, link, address, row.expires_at)


def look_up(secret: str, now: datetime) -> InvitationView:
    """What an open invitation offers. Raises NotFound (invitation_unknown) or WrongState
    (invitation_expired, invitation_used, invitation_revoked) with a sentence that names whom to ask."""
    row = _find(secret)
    _check_open(row, now)
    cohort, programme = row.cohort, row.cohort.programme
    return InvitationView(
        public_id=row.public_id,
        email=row.email,
        programme=programme.name,
        programme_slug=programme.slug,
        timezone=programme.timezone,
        cohort=cohort.name,
        daily_seconds=cohort.daily_seconds,
        invited_by=_inviter(row),
        expires_at=row.expires_at,
    )


def accept(*, secret: str, user_id: int, by: Actor, now: datetime) -> int:
    """Use the invitation for an account, whatever its address, and return the membership's id.

    Of two at once one wins. Raises what `look_up` raises, and WrongState (already_a_member).
    """
    row = _find(secret)
    who = person(user_id)
    with log.transaction() as events:
        used = Invitation.objects.filter(
            id=row.pk, accepted_at=None, revoked_at=None, expires_at__gt=now
        ).update(accepted_at=now, accepted_by_id=user_id)
        if not used:
            _refuse(row, now)
        try:
            with transaction.atomic():
                member = Membership.objects.create(
                    user_id=user_id, programme=row.cohort.programme, cohort=row.cohort, joined_at=now
                )
        except IntegrityError:
            raise WrongState(
                "already_a_member",
                f"You are in {row.cohort.programme.name} already. The invitation stays open.",
            ) from None
        events.record(
            action="invitation.accepted",
            actor=by,
            target=row.public_id,
            now=now,
            data={"account": who.public_id, "same_address": who.email == row.email},
        )
        events.record(
            action="membership.created",
            actor=by,
            target=member.public_id,
            now=now,
            data={"account": who.public_id, "cohort": row.cohort.public_id, "invitation": row.public_id},
        )
    return member.pk


def revoke(*, invitation: str, by: Actor, now: datetime) -> None:
    """Take back an invitation (public id) that nobody has used. Twice is once.

    Raises NotFound, or WrongState (invitation_used).
    """
    with log.transaction() as events:
        row = Invitation.objects.select_for_update().filter(public_id=invitation).first()
        if row is None:
            raise NotFound("not_found", "There is no such invitation.")
        if row.accepted_at is not None:
            raise WrongState(
                "invitation_used", f"{row.email} has joined with it. End the membership instead."
            )
        if row.revoked_at is None:
            row.revoked_at = now
            row.save(update_fields=["revoked_at"])
            events.record(action="invitation.revoked", actor=by, target=row.public_id, now=now)


def _check_open(row: Invitation, now: datetime) -> None:
    rules.check_can_accept(row, ask=_inviter(row), zone=row.cohort.programme.timezone, now=now)


def _refuse(row: Invitation, now: datetime) -> NoReturn:
    """Say why the conditional update found nothing: read again, since another may have been quicker."""
    row.refresh_from_db(fields=["accepted_at", "revoked_at", "expires_at"])
    _check_open(row, now)
    raise WrongState("invitation_used", "This invitation was used just now.")


def _find(secret: str) -> Invitation:
    parsed = bearer.parse(secret)
    if parsed is not None and parsed.kind == KIND:
        row = (
            Invitation.objects.select_related("cohort__programme")
            .filter(digest=parsed.digest(settings.TOKEN_PEPPER))
            .first()
        )
        if row is not None:
            return row
    raise NotFound(
        "invitation_unknown",
        "We do not know this invitation. Open the link from the mail again, whole; if it stays so, ask who sent it.",
    )


def _inviter(row: Invitation) -> str:
    """Whom to ask: the person who invited by public name, else the people of the programme."""
    kind, _, public_id = row.invited_by.partition(":")
    found = by_public_id(public_id) if kind == "user" else None
    return (found.public_name if found else "") or f"the people of {row.cohort.programme.name}"


def _mail(row: Invitation, cohort: Cohort, link: str, now: datetime) -> None:
    programme = cohort.programme
    context = {
        "programme": programme.name,
        "inviter": _inviter(row),
        "link": settings.BASE_URL + link,
        "daily_seconds": cohort.daily_seconds,
        "until": rules.date_words(row.expires_at, programme.timezone),
        "until_time": rules.time_words(row.expires_at, programme.timezone),
    }
    mail.post(to=row.email, template="invitation", context=context, now=now)

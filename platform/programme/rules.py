"""What may be asked of this part, in pairs: `check_…` raises with a sentence, the other asks it."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from core.errors import DomainError, Invalid, WrongState
from programme.models import Invitation
from programme.models.programmes import MARK_LENGTH

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST_DAY = 86_400
"""A cohort's daily seconds of clip: more than a day of film in a day is a typing error."""


def date_words(moment: datetime, zone: str) -> str:
    """As in “ended on 30 Nov”: the day on which `moment` falls in `zone`."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.day} {MONTHS[local.month - 1]}"


def time_words(moment: datetime, zone: str) -> str:
    """24 hours, as in “come at 00:00”."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def check_timezone(name: str) -> None:
    """Raise Invalid unless `name` is an IANA time zone."""
    if name not in available_timezones():
        sentence = f"“{name[:64]}” is not a time zone. Write one as Europe/Amsterdam."
        raise Invalid("bad_timezone", sentence, fields={"timezone": sentence})


def check_mark_text(text: str) -> None:
    """Raise Invalid unless `text` can be burnt into a frame."""
    if text != text.strip() or not 1 <= len(text) <= MARK_LENGTH:
        sentence = f"The mark has 1 to {MARK_LENGTH} characters and no space at its ends."
        raise Invalid("bad_mark_text", sentence, fields={"mark_text": sentence})
    if any(unicodedata.category(letter).startswith("C") for letter in text):
        sentence = "The mark has no control characters."
        raise Invalid("bad_mark_text", sentence, fields={"mark_text": sentence})


def check_daily_seconds(seconds: int) -> None:
    if not 0 <= seconds <= LONGEST_DAY:
        sentence = f"A day's allowance is 0 to {LONGEST_DAY} seconds."
        raise Invalid("bad_daily_seconds", sentence, fields={"daily_seconds": sentence})


def check_text(field: str, text: str, *, most: int) -> str:
    """`text` without the space around it. Raises Invalid when it is empty or longer than `most`."""
    found = text.strip()
    if not 1 <= len(found) <= most:
        sentence = f"This has 1 to {most} characters."
        raise Invalid(f"bad_{field}", sentence, fields={field: sentence})
    return found


def check_can_accept(invitation: Invitation, *, ask: str, zone: str, now: datetime) -> None:
    """Raise WrongState unless the invitation is open. `ask` is whom the sentence names."""
    if invitation.accepted_at is not None:
        day = date_words(invitation.accepted_at, zone)
        raise WrongState(
            "invitation_used",
            f"This invitation was used on {day}. If that was you, sign in; if not, tell {ask}.",
        )
    if invitation.revoked_at is not None:
        day = date_words(invitation.revoked_at, zone)
        raise WrongState("invitation_revoked", f"This invitation was taken back on {day}. Ask {ask} why.")
    if now >= invitation.expires_at:
        day = date_words(invitation.expires_at, zone)
        raise WrongState("invitation_expired", f"This invitation ended on {day}. Ask {ask} for a new one.")


def can_accept(invitation: Invitation, *, now: datetime) -> bool:
    try:
        check_can_accept(invitation, ask="", zone="UTC", now=now)
    except DomainError:
        return False
    return True

"""What may be asked of this part, in pairs: `check_…` raises with a sentence, the other asks it."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from core.errors import DomainError, Invalid, WrongState
from programme.models import Invitation
from programme.models.programmes import MARK_LENGTH

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST_DAY = 86_400
"""A cohort's daily seconds of clip: more than a day of film in a day is a typing error."""


def _letters(ranges: str) -> frozenset[str]:
    """The characters of `20-7e a0`: hexadecimal, first and last, or one alone."""
    bounds = [part.split("-") for part in ranges.split()]
    return frozenset(
        chr(number) for each in bounds for number in range(int(each[0], 16), int(each[-1], 16) + 1)
    )


# What the face that draws the mark has a letter for. This part may not look into the font, which lies above it in the
# house: a test compares the two. Anything else would be burnt into every frame as an empty box.
MARK_LETTERS: Final = _letters(
    "20-7e a0-ac ae-ff 152-153 160-161 178 192 2c6-2c7 2d8-2dd 391-39f 3a1 3a3-3a9 3b1-3c0 3c2-3c9 3d1-3d2 3d5-3d6 "
    "2010 2013-2016 2018-201a 201c-201e 2020-2023 2026 2030-2035 2039-203a 2042 2051 2070-2071 2074-208e 20ac 20b9 "
    "2103 2109 2111 2113 2118 211c 2122 2126 212b 2134-2135 2153-216b 2170-217b 2190-2199 21a9-21aa 21b3 21b5-21b7 "
    "21d0-21d9 21de-21e3 21e7 21ea 2200-2205 2207-2209 220b-220c 2212-2213 2218 221a 221d-221e 2222 2225 2227-222b "
    "222e 2234-2235 223c 2243 2245 2248 2259 2260-2261 2264-2265 2282-2283 2286-2287 2295-2298 22a5 22c6 22ee 2302 "
    "2308-230b 231c-231f 25b6-25b9 25bc-25bf 25c9 25ce-25d3 2600-2603 2605 260e 2610-2612 2639-263a 263c 263e "
    "2660-2663 2690-2691 26a0-26a1 2708-2709 2713 2780-2794 fb00-fb02 fb06"
)


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
    sentence = ""
    if text != text.strip() or not 1 <= len(text) <= MARK_LENGTH:
        sentence = f"The mark has 1 to {MARK_LENGTH} characters and no space at its ends."
    elif strange := [letter for letter in dict.fromkeys(text) if not _drawn(letter) and not _control(letter)]:
        sentence = (
            f"The mark cannot show {_named(strange)}: its typeface has no such letters. "
            f"Choose a mark text in letters that it has, for instance {_plainer(text)}."
        )
    elif any(_control(letter) for letter in text):
        sentence = "The mark has no control characters."
    if sentence:
        raise Invalid("bad_mark_text", sentence, fields={"mark_text": sentence})


def _drawn(letter: str) -> bool:
    return letter in MARK_LETTERS


def _control(letter: str) -> bool:
    """Nothing to see: it controls, it formats, or it is in private use."""
    return unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cs"}


def _named(letters: list[str]) -> str:
    """Each as it looks; what is not seen alone, and what no one has named yet, by its number."""
    seen = [
        f"“{letter}”" if unicodedata.category(letter)[0] in "LNPS" else f"U+{ord(letter):04X}"
        for letter in letters
    ]
    return " and ".join([", ".join(seen[:-1]), seen[-1]] if seen[1:] else seen)


def _plainer(text: str) -> str:
    """`text` without what its letters bear, in quotes; if that cannot be drawn either, words for what could be."""
    parts = (letter if _drawn(letter) else unicodedata.normalize("NFKD", letter) for letter in text)
    plain = "".join(part for part in "".join(parts) if unicodedata.category(part) != "Mn").strip()
    fits = 1 <= len(plain) <= MARK_LENGTH and all(map(_drawn, plain))
    return f"“{plain}”" if fits else "the name in plain Latin letters"


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

"""What may be asked for and decided. Each `check_…` raises with a sentence; its twin asks it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import DomainError, Invalid, WrongState
from review.states import Outcome

REVIEW_HOURS = 48
REVIEW_TIME = timedelta(hours=REVIEW_HOURS)
"""Until when the house answers a submission, from the moment it was sent."""
LEASE = timedelta(minutes=15)
LEASE_LIMIT = timedelta(minutes=45)
"""A lease is prolonged by activity, never beyond this from its start."""
PUBLIC_KINDS = frozenset({"mp4", "poster"})
"""The files that a share publishes; a clip's others are tools of those who work on it."""

LONGEST_TITLE = 120
LONGEST_NOTE = 2000
LONGEST_FACTS = 4000
LONGEST_REASON = 1000

# Overrides of writing direction: a title could pass itself off as another one.
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an artist wants to be shown, and how."""

    title: str
    note: str = ""
    show_prompt: bool = False
    show_seed: bool = False
    show_variant: bool = False


def tidy(text: str) -> str:
    """Line breaks as one character, no blanks at the ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def bad_character(text: str, *, lines: bool) -> bool:
    """Control characters, halves of surrogate pairs, direction overrides. Line breaks and tabs pass if `lines`."""
    allowed = "\n\t" if lines else ""
    return any(
        (unicodedata.category(char) in {"Cc", "Cs"} and char not in allowed) or char in _DIRECTION
        for char in text
    )


def text_fault(text: str, *, name: str, longest: int, lines: bool = True) -> str | None:
    """What is wrong with a text, as a sentence, or None."""
    if len(text) > longest:
        return f"{name} has at most {longest:,} characters; this one has {len(text):,}."
    if bad_character(text, lines=lines):
        return f"{name} has control characters in it. Paste it as plain text."
    return None


def check_wish(wish: Wish) -> Wish:
    """The wish with its texts tidied. Raises Invalid, naming each bad field."""
    title, note = tidy(wish.title), tidy(wish.note)
    faults: dict[str, str] = {}
    if not title:
        faults["title"] = "Give the clip a title; it stands under it in the gallery."
    elif fault := text_fault(title, name="A title", longest=LONGEST_TITLE, lines=False):
        faults["title"] = fault
    if fault := text_fault(note, name="A note", longest=LONGEST_NOTE):
        faults["note"] = fault
    if faults:
        raise Invalid("invalid_request", " ".join(faults.values()), fields=faults)
    return Wish(title, note, wish.show_prompt, wish.show_seed, wish.show_variant)


def check_can_share(*, completed: bool, undecided: bool, on_view: bool, policy: bool) -> None:
    """Raise WrongState unless a clip may be put before a reviewer now."""
    if not completed:
        raise WrongState("not_completed", "Only a finished clip can be shared.")
    if undecided:
        raise WrongState("already_in_review", "This clip is in review already.")
    if on_view:
        raise WrongState("already_on_view", "This clip is on view already.")
    if not policy:
        raise WrongState(
            "no_policy", "We have not published a policy yet, so nobody could decide by it. Ask us to."
        )


def can_share(*, completed: bool, undecided: bool, on_view: bool, policy: bool) -> bool:
    return _holds(
        lambda: check_can_share(completed=completed, undecided=undecided, on_view=on_view, policy=policy)
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A reviewer's answer as it was sent: reason codes and facts."""

    outcome: Outcome
    reasons: tuple[str, ...]
    facts: str


def check_verdict(
    *, outcome: str, reasons: Sequence[str], facts: str, usable: frozenset[str], never: frozenset[str]
) -> Verdict:
    """The verdict, tidied, each reason once. `usable` and `never` are the policy's codes. Raises Invalid."""
    text = tidy(facts)
    codes = tuple(dict.fromkeys(reasons))
    faults = _reason_faults(outcome, codes, usable, never)
    if fault := text_fault(text, name="The facts", longest=LONGEST_FACTS):
        faults["facts"] = fault
    elif outcome in {Outcome.CHANGES, Outcome.REFUSE} and not text:
        faults["facts"] = (
            "Write what in the clip this is about, and where: the artist reads it word for word."
        )
    if faults:
        code = "reason_never_counts" if never.intersection(codes) else "invalid_request"
        raise Invalid(code, " ".join(faults.values()), fields=faults)
    return Verdict(Outcome(outcome), codes, text)


def _reason_faults(
    outcome: str, codes: tuple[str, ...], usable: frozenset[str], never: frozenset[str]
) -> dict[str, str]:
    if outcome not in Outcome.values:
        return {"outcome": f"A decision is one of {', '.join(Outcome.values)}."}
    if outcome == Outcome.APPROVE:
        return {"reasons": "An approval needs no reasons; leave them out."} if codes else {}
    if ruled_out := [code for code in codes if code in never]:
        return {"reasons": f"{', '.join(ruled_out)} is on our published list of reasons that never count."}
    if unknown := [code[:40] for code in codes if code not in usable]:
        return {"reasons": f"{', '.join(unknown)} is not in the policy. It has {', '.join(sorted(usable))}."}
    if not codes:
        return {"reasons": "Name at least one reason of the policy."}
    return {}


def lease_end(*, started: datetime, now: datetime) -> datetime:
    """Until when activity at `now` prolongs a lease that began at `started`."""
    return min(now + LEASE, started + LEASE_LIMIT)


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except DomainError:
        return False
    return True

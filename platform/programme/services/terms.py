"""Terms are published, and accepted."""

from __future__ import annotations

import hashlib
from datetime import datetime

from audit import log
from core.actors import Actor
from core.errors import NotAllowed, NotFound, WrongState
from programme import rules
from programme.models import Membership, Programme, TermsAcceptance, TermsVersion
from programme.states import MembershipState

LONGEST = 100_000


def publish(*, programme_id: int, text: str, by: Actor, now: datetime) -> int:
    """Put a new version in force and return its number. Members accept it before they render again."""
    body = rules.check_text("text", text, most=LONGEST)
    with log.transaction() as events:
        programme = (
            Programme.objects.select_for_update().filter(id=programme_id).first()
        )  # numbers without gaps
        if programme is None:
            raise NotFound("not_found", "There is no such programme.")
        latest = TermsVersion.objects.filter(programme=programme).order_by("-number").first()
        number = 1 if latest is None else latest.number + 1
        TermsVersion.objects.create(programme=programme, number=number, text=body, published_at=now)
        events.record(
            action="terms.published",
            actor=by,
            target=programme.public_id,
            now=now,
            data={"number": number, "sha256": hashlib.sha256(body.encode()).hexdigest()},
        )
    return number


def accept(*, membership_id: int, version: int, by: Actor, now: datetime) -> None:
    """Note the member's yes to `version`, which must be the one in force. A second yes changes nothing.

    Raises NotFound, WrongState (terms_changed: another version came meanwhile) or NotAllowed (membership_ended).
    """
    with log.transaction() as events:
        member = Membership.objects.select_for_update().filter(id=membership_id).first()
        if member is None or by.user_id not in (None, member.user_id):  # nobody says yes for somebody else
            raise NotFound("not_found", "There is no such member.")
        if member.state == MembershipState.ENDED:
            raise NotAllowed("membership_ended", "Your membership has ended; there is nothing to agree to.")
        current = TermsVersion.objects.filter(programme_id=member.programme_id).order_by("-number").first()
        if current is None or current.number != version:
            now_in_force = "none yet" if current is None else f"version {current.number}"
            raise WrongState(
                "terms_changed", f"The terms in force are {now_in_force}. Read them, then accept."
            )
        if TermsAcceptance.objects.filter(membership=member, version=current).exists():
            return
        TermsAcceptance.objects.create(membership=member, version=current, at=now)
        events.record(
            action="terms.accepted", actor=by, target=member.public_id, now=now, data={"number": version}
        )

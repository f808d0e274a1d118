"""A membership is suspended, taken up again, and ended; its member is named in files or not."""

from __future__ import annotations

from datetime import datetime

from audit import log
from core import states
from core.actors import Actor
from core.errors import NotFound
from programme.models import Membership
from programme.states import MEMBERSHIP, MembershipState

_DONE = {
    MembershipState.SUSPENDED: "membership.suspended",
    MembershipState.ACTIVE: "membership.reinstated",
    MembershipState.ENDED: "membership.ended",
}


def suspend(*, membership_id: int, by: Actor, now: datetime, reason: str = "") -> None:
    """No new renders, shares or tokens from the next request on; own work stays reachable. WrongState otherwise."""
    _move(membership_id, MembershipState.SUSPENDED, by, now, reason)


def reinstate(*, membership_id: int, by: Actor, now: datetime, reason: str = "") -> None:
    """A suspended member goes on. WrongState otherwise."""
    _move(membership_id, MembershipState.ACTIVE, by, now, reason)


def end(*, membership_id: int, by: Actor, now: datetime, reason: str = "") -> None:
    """For good. The member still sees, downloads and exports their own work."""
    _move(membership_id, MembershipState.ENDED, by, now, reason)


def credit(*, membership_id: int, credited: bool, by: Actor, now: datetime) -> None:
    """Whether the member's public name stands in the Content Credentials of what is made from now on. NotFound."""
    with log.transaction() as events:
        row = Membership.objects.select_for_update().filter(id=membership_id).first()
        if row is None:
            raise NotFound("not_found", "There is no such member.")
        if row.credited == credited:
            return
        row.credited = credited
        row.save(update_fields=["credited"])
        action = "membership.credited" if credited else "membership.not_credited"
        events.record(action=action, actor=by, target=row.public_id, now=now)


def _move(membership_id: int, target: MembershipState, by: Actor, now: datetime, reason: str) -> None:
    with log.transaction() as events:
        row = Membership.objects.select_for_update().filter(id=membership_id).first()
        if row is None:
            raise NotFound("not_found", "There is no such member.")
        before = MembershipState(row.state)
        sentence = f"This membership is {before.value}; it cannot become {target.value}."
        states.check(MEMBERSHIP, before, target, sentence=sentence)
        row.state = target
        row.save(update_fields=["state"])
        events.record(
            action=_DONE[target],
            actor=by,
            target=row.public_id,
            now=now,
            data={"from": before.value, "reason": reason[:500]},
        )

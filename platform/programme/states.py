"""A membership's states, and how one follows another."""

from __future__ import annotations

from django.db import models

from core.states import Transitions


class MembershipState(models.TextChoices):
    ACTIVE = "active", "active"
    SUSPENDED = "suspended", "suspended"
    ENDED = "ended", "ended"


MEMBERSHIP: Transitions[MembershipState] = {
    MembershipState.ACTIVE: frozenset({MembershipState.SUSPENDED, MembershipState.ENDED}),
    MembershipState.SUSPENDED: frozenset({MembershipState.ACTIVE, MembershipState.ENDED}),
    MembershipState.ENDED: frozenset(),
}

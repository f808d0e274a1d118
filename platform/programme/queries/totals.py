"""A programme in figures, for the office."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Sum

from core import clock
from programme.models import Cohort, Membership, QuotaAllowance
from programme.queries.memberships import ProgrammeView
from programme.states import MembershipState


@dataclass(frozen=True, slots=True)
class ProgrammeTotals:
    """Seconds of clip, today in the programme's time zone. `allowance` is what all active members may use in a day."""

    active: int
    suspended: int
    cohorts: int
    invitations_open: int
    used: int
    reserved: int
    allowance: int


def totals(programme: ProgrammeView, now: datetime) -> ProgrammeTotals:
    """Three statements."""
    members = Membership.objects.filter(programme_id=programme.id)
    states = members.aggregate(
        active=Count("id", filter=Q(state=MembershipState.ACTIVE)),
        suspended=Count("id", filter=Q(state=MembershipState.SUSPENDED)),
        allowance=Sum("cohort__daily_seconds", filter=Q(state=MembershipState.ACTIVE)),
    )
    today = QuotaAllowance.objects.filter(
        membership__programme_id=programme.id, day=clock.day_in(programme.timezone, now)
    ).aggregate(used=Sum("used"), reserved=Sum("reserved"))
    still_open = Q(
        invitations__accepted_at=None, invitations__revoked_at=None, invitations__expires_at__gt=now
    )
    cohorts = Cohort.objects.filter(programme_id=programme.id).aggregate(
        cohorts=Count("id", distinct=True), invitations_open=Count("invitations", filter=still_open)
    )
    return ProgrammeTotals(
        active=states["active"],
        suspended=states["suspended"],
        cohorts=cohorts["cohorts"],
        invitations_open=cohorts["invitations_open"],
        used=today["used"] or 0,
        reserved=today["reserved"] or 0,
        allowance=states["allowance"] or 0,
    )

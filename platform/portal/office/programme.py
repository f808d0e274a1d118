"""Which programme the office runs. What belongs to another one is not there."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils import timezone

from access.caller import Caller
from core.errors import NotFound
from programme import queries
from programme.queries import CohortView, MembershipView, ProgrammeView
from roles import queries as roles
from roles.roles import Permission, permits

EVERYWHERE = "*"


def programme_of(caller: Caller, permission: Permission = Permission.RUN_PROGRAMME) -> ProgrammeView:
    """The oldest programme that the caller runs, or in which they have another permission; its zone becomes the page's.
    NotFound where there is none yet.
    """
    for programme in queries.programmes():
        if permits(roles.roles_of(caller.user_id, programme.public_id), permission):
            timezone.activate(ZoneInfo(programme.timezone))
            return programme
    raise NotFound("no_programme", "There is no programme that you run yet.")


def runs_everything(caller: Caller) -> bool:
    """Whether the caller operates every programme of this house, those to come included."""
    return permits(roles.roles_of(caller.user_id, EVERYWHERE), Permission.RUN_PROGRAMME)


def cohort_of(programme: ProgrammeView, public_id: str) -> CohortView:
    found = queries.cohort(public_id)
    if found is None or found.programme_id != programme.id:
        raise NotFound("not_found", "There is no such cohort.")
    return found


def member_of(programme: ProgrammeView, public_id: str) -> MembershipView:
    found = queries.membership_by_public_id(public_id)
    if found is None or found.programme.id != programme.id:
        raise NotFound("not_found", "There is no such member.")
    return found

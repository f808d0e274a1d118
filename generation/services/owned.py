"""What services of a member's own things, and of the programme's, ask first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from django.db import connection, models

from access import gate
from access.caller import Caller
from core.actors import Actor
from core.errors import Invalid, NotAllowed
from programme import queries as programmes
from programme.queries import MembershipView, ProgrammeView
from roles import queries as roles
from roles.roles import Permission, permits


class Turn(IntEnum):
    """What a member makes one at a time, so that limits hold: numbers of advisory locks, kept apart by the first."""

    STYLE = 7101
    ADAPTER = 7102
    REFERENCE = 7103
    CHARACTER = 7104


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a style or an adapter is: a member's, or with `member` None the programme's."""

    programme: ProgrammeView
    member: MembershipView | None
    actor: Actor

    @property
    def membership_id(self) -> int | None:
        return self.member.id if self.member else None


def member(caller: Caller, action: gate.Action) -> MembershipView:
    """The caller's membership. Raises NotAllowed unless they may do `action` now."""
    gate.check_may(caller, action)
    if caller.membership is None:
        raise NotAllowed("not_a_member", "You are not a member of a programme.")
    return caller.membership


def own(caller: Caller, action: gate.Action) -> Owner:
    found = member(caller, action)
    return Owner(found.programme, found, caller.actor)


def programmes_own(programme: ProgrammeView, by: Actor) -> Owner:
    """Raises NotAllowed unless the actor operates the programme. The house itself may. One statement."""
    runs = by.user_id is not None and permits(
        roles.roles_of(by.user_id, programme.public_id), Permission.RUN_PROGRAMME
    )
    if not runs and by.kind != "system":
        raise NotAllowed("not_an_operator", "This is for operators of the programme.")
    return Owner(programme, None, by)


def cohort_rows(programme: ProgrammeView, cohorts: Collection[str]) -> list[int]:
    """Row ids of the programme's cohorts with these public ids. Raises Invalid (unknown_cohort). One statement."""
    if not cohorts:
        return []
    known = {cohort.public_id: cohort.id for cohort in programmes.cohorts(programme.id)}
    if not set(cohorts) <= set(known):
        sentence = "One of these cohorts is not in this programme."
        raise Invalid("unknown_cohort", sentence, fields={"cohorts": sentence})
    return [known[public_id] for public_id in dict.fromkeys(cohorts)]


def take_turn(turn: Turn, number: int) -> None:
    """Wait until nobody else is in the same turn with `number` (a row id); it ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [int(turn), number % 2**31])


def hold(row: models.Model, ended: str) -> bool:
    """Keep the row as it is until the transaction ends, beside others who do the same. One statement.

    `ended` is the column that says since when it is gone. False when it is gone by now.
    """
    table = connection.ops.quote_name(row._meta.db_table)
    column = connection.ops.quote_name(ended)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s FOR SHARE", [row.pk])  # noqa: S608
        found = cursor.fetchone()
    return found is not None and found[0] is None

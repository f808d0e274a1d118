"""Groups of members with one daily allowance."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from audit import log
from core import clock
from core.actors import Actor
from core.errors import NotFound, WrongState
from programme import rules
from programme.models import Cohort, Programme, QuotaAllowance


def create(*, programme_id: int, name: str, daily_seconds: int, by: Actor, now: datetime) -> int:
    """Make a cohort and return its id. Raises Invalid, NotFound or WrongState (name_taken)."""
    named = rules.check_text("name", name, most=80)
    rules.check_daily_seconds(daily_seconds)
    with log.transaction() as events:
        programme = Programme.objects.filter(id=programme_id).first()
        if programme is None:
            raise NotFound("not_found", "There is no such programme.")
        try:
            with transaction.atomic():
                cohort = Cohort.objects.create(
                    programme=programme, name=named, daily_seconds=daily_seconds, created_at=now
                )
        except IntegrityError:
            raise WrongState("name_taken", f"There is a cohort called “{named}” already.") from None
        events.record(
            action="cohort.created",
            actor=by,
            target=cohort.public_id,
            now=now,
            data={"programme": programme.public_id, "daily_seconds": daily_seconds},
        )
    return cohort.pk


def set_daily_seconds(*, cohort_id: int, daily_seconds: int, by: Actor, now: datetime) -> None:
    """Change the allowance, today's too: never below what a member has used and reserved already."""
    rules.check_daily_seconds(daily_seconds)
    with log.transaction() as events:
        # The lock also holds up members' first render of the day, which copies the number from this row.
        cohort = (
            Cohort.objects.select_for_update(of=("self",))
            .select_related("programme")
            .filter(id=cohort_id)
            .first()
        )
        if cohort is None:
            raise NotFound("not_found", "There is no such cohort.")
        before = cohort.daily_seconds
        if before == daily_seconds:
            return
        cohort.daily_seconds = daily_seconds
        cohort.save(update_fields=["daily_seconds"])
        today = clock.day_in(cohort.programme.timezone, now)
        QuotaAllowance.objects.filter(membership__cohort=cohort, day__gte=today).update(
            limit_seconds=Greatest(daily_seconds, F("reserved") + F("used"))
        )
        events.record(
            action="cohort.allowance_set",
            actor=by,
            target=cohort.public_id,
            now=now,
            data={"from": before, "to": daily_seconds},
        )

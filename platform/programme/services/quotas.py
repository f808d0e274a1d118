"""Seconds of the day are reserved when a render is asked for, and then either used or given back. Once.

The ledger is itself append-only and names the video, whose request and end are in the audit log; a copy of each
line there would add nothing but turns at the head's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection

from audit import log
from core import clock
from core.errors import Invalid, NotFound, OverQuota
from programme import rules
from programme.models import QuotaKind
from programme.queries import QuotaView, quota_today

# Written by hand, as the others: every order asks it.
_ZONE = """
    SELECT p.timezone FROM programme_membership m JOIN programme_programme p ON p.id = m.programme_id WHERE m.id = %s
"""
# The lock on the cohort waits for a change of its allowance, which could not see the row that is made here.
_OPEN_DAY = """
    INSERT INTO programme_quotaallowance (membership_id, day, limit_seconds, reserved, used)
    SELECT m.id, %(day)s, c.daily_seconds, 0, 0
    FROM programme_membership m JOIN programme_cohort c ON c.id = m.cohort_id
    WHERE m.id = %(membership)s FOR SHARE OF c
    ON CONFLICT (membership_id, day) DO NOTHING
"""
# The day's row is taken from and the ledger's lines are written together, or neither where too little is left.
_HOLD = """
    WITH held AS (
        UPDATE programme_quotaallowance
        SET reserved = reserved + %(seconds)s * cardinality(%(videos)s::text[])
        WHERE membership_id = %(membership)s AND day = %(day)s
            AND limit_seconds - used - reserved >= %(seconds)s * cardinality(%(videos)s::text[])
        RETURNING id
    )
    INSERT INTO programme_quotaentry (membership_id, allowance_id, video, kind, seconds, at)
    SELECT %(membership)s, held.id, video, 'reserve', %(seconds)s, %(now)s
    FROM held, unnest(%(videos)s::text[]) AS video
"""
# The partial unique index lets one of settle and release in; who comes second moves nothing.
_END = """
    WITH ended AS (
        INSERT INTO programme_quotaentry (membership_id, allowance_id, video, kind, seconds, at)
        SELECT membership_id, allowance_id, video, %(kind)s, seconds, %(now)s
        FROM programme_quotaentry WHERE video = %(video)s AND kind = 'reserve'
        ON CONFLICT DO NOTHING
        RETURNING allowance_id, seconds
    )
    UPDATE programme_quotaallowance a
    SET reserved = a.reserved - ended.seconds,
        used = a.used + CASE WHEN %(kind)s = 'settle' THEN ended.seconds ELSE 0 END
    FROM ended WHERE a.id = ended.allowance_id
"""


def reserve(*, membership_id: int, video: str, seconds: int, now: datetime) -> None:
    """Hold `seconds` of today for a video (public id), which reserves once in its life.

    Raises OverQuota (quota_exhausted, with `left` and `resets_at`), Invalid or NotFound; then nothing has changed.
    """
    reserve_each(membership_id=membership_id, videos=[video], seconds=seconds, now=now)


def reserve_each(*, membership_id: int, videos: Sequence[str], seconds: int, now: datetime) -> None:
    """Hold `seconds` of today for each of the videos, or for none of them. As many statements as for one.

    Raises as `reserve` does; `affordable` says for how many of them today would do.
    """
    if seconds < 1:
        sentence = "A clip costs at least one second."
        raise Invalid("bad_seconds", sentence, fields={"seconds": sentence})
    zone = _zone(membership_id)
    held: dict[str, int | str | datetime | date | list[str]] = {
        "membership": membership_id,
        "day": clock.day_in(zone, now),
        "seconds": seconds,
        "videos": list(videos),
        "now": now,
    }
    with log.transaction(), connection.cursor() as cursor:
        cursor.execute(_HOLD, held)
        if not cursor.rowcount:
            cursor.execute(_OPEN_DAY, held)
            cursor.execute(_HOLD, held)
        if not cursor.rowcount:
            raise _exhausted(quota_today(membership_id, now), seconds, len(videos), zone)


def check_left(*, membership_id: int, seconds: int, count: int, now: datetime) -> None:
    """Raise OverQuota where `reserve_each` would, for `count` videos of `seconds` each. Nothing is held."""
    zone = _zone(membership_id)
    quota = quota_today(membership_id, now)
    if quota.left < seconds * count:
        raise _exhausted(quota, seconds, count, zone)


def settle(*, video: str, now: datetime) -> bool:
    """The clip is finished: its seconds are used, on the day on which they were reserved. False if already ended."""
    return _end(video, QuotaKind.SETTLE, now)


def release(*, video: str, now: datetime) -> bool:
    """The clip will not come: its seconds go back to the day from which they were taken. False if already ended."""
    return _end(video, QuotaKind.RELEASE, now)


def _zone(membership_id: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_ZONE, [membership_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("not_found", "There is no such member.")
    return str(row[0])


def _end(video: str, kind: QuotaKind, now: datetime) -> bool:
    with log.transaction(), connection.cursor() as cursor:
        cursor.execute(_END, {"video": video, "kind": kind.value, "now": now})
        moved: int = cursor.rowcount
    return moved == 1


def _exhausted(quota: QuotaView, seconds: int, count: int, zone: str) -> OverQuota:
    again = rules.time_words(quota.resets_at, zone)
    affordable = max(0, quota.left) // seconds
    if quota.left <= 0 and quota.reserved == 0:
        sentence = f"Your {quota.limit} s for today are used. {quota.limit} s more come at {again}."
    elif quota.left <= 0:
        sentence = (
            f"Your {quota.limit} s for today are used, or held for {quota.reserved} s of clips that are still "
            f"rendering. {quota.limit} s more come at {again}."
        )
    elif count == 1:
        sentence = (
            f"This clip costs {seconds} s and {quota.left} s of your {quota.limit} s for today are left. "
            f"{quota.limit} s more come at {again}."
        )
    else:
        sentence = (
            f"{count} takes cost {count * seconds} s and {quota.left} s of your {quota.limit} s for today are left: "
            f"{_enough_for(affordable)}. {quota.limit} s more come at {again}."
        )
    return OverQuota(
        "quota_exhausted",
        sentence,
        limit=quota.limit,
        left=quota.left,
        affordable=affordable,
        resets_at=quota.resets_at.isoformat(),
    )


def _enough_for(takes: int) -> str:
    if takes == 0:
        return "not enough for one take"
    return "enough for one take" if takes == 1 else f"enough for {takes} takes"

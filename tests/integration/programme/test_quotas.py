from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit import log
from core.actors import system
from core.errors import NotFound, OverQuota
from programme.models import QuotaAllowance, QuotaEntry
from programme.queries import quota_today
from programme.services import cohorts, quotas
from tests.factories import people
from tests.factories.floor import at_once, refused

pytestmark = pytest.mark.django_db
HOUSE = system("test")


@pytest.fixture
def cohort_id(db: None, now: datetime) -> int:
    return people.cohort(people.programme(now).id, now)


@pytest.fixture
def member(cohort_id: int, now: datetime) -> int:
    """120 s a day, in Amsterdam."""
    return member_of(cohort_id, now)


def member_of(cohort_id: int, now: datetime) -> int:
    membership = people.artist(cohort_id, now).membership
    assert membership is not None
    return membership.id


def reserve(member: int, video: str, seconds: int, now: datetime) -> None:
    quotas.reserve(membership_id=member, video=video, seconds=seconds, now=now)


def figures(member: int, now: datetime) -> tuple[int, int, int, int]:
    quota = quota_today(member, now)
    return quota.limit, quota.reserved, quota.used, quota.left


def test_reserved_seconds_are_held_then_used(member: int, now: datetime) -> None:
    assert figures(member, now) == (120, 0, 0, 120)
    reserve(member, "video_a", 8, now)
    assert figures(member, now) == (120, 8, 0, 112)
    assert quotas.settle(video="video_a", now=now)
    assert figures(member, now) == (120, 0, 8, 112)


def test_reserved_seconds_are_held_then_given_back(member: int, now: datetime) -> None:
    reserve(member, "video_a", 8, now)
    assert quotas.release(video="video_a", now=now)
    assert figures(member, now) == (120, 0, 0, 120)


@pytest.mark.parametrize("first", [quotas.settle, quotas.release])
@pytest.mark.parametrize("second", [quotas.settle, quotas.release])
def test_a_video_ends_once_whatever_comes_second(
    first: Callable[..., bool], second: Callable[..., bool], member: int, now: datetime
) -> None:
    reserve(member, "video_a", 8, now)
    assert first(video="video_a", now=now)
    after = figures(member, now)

    assert not second(video="video_a", now=now)

    assert figures(member, now) == after
    assert QuotaEntry.objects.count() == 2


def test_ending_what_was_never_reserved_moves_nothing(member: int, now: datetime) -> None:
    assert not quotas.settle(video="video_x", now=now)
    assert not quotas.release(video="video_x", now=now)
    assert not QuotaEntry.objects.exists()


def test_the_last_second_can_be_used_and_no_more(member: int, now: datetime) -> None:
    reserve(member, "video_a", 120, now)

    with refused("quota_exhausted"):
        reserve(member, "video_b", 1, now)


def test_says_how_much_is_left_and_when_more_comes(member: int, now: datetime) -> None:
    midnight = "2026-03-03T00:00:00+01:00"
    reserve(member, "video_a", 116, now)
    with refused("quota_exhausted") as refusal:
        reserve(member, "video_b", 8, now)
    assert refusal.value.sentence == (
        "This clip costs 8 s and 4 s of your 120 s for today are left. 120 s more come at 00:00."
    )
    assert refusal.value.extra == {"limit": 120, "left": 4, "affordable": 0, "resets_at": midnight}
    assert not refusal.value.retry

    reserve(member, "video_c", 4, now)
    with refused("quota_exhausted") as refusal:
        reserve(member, "video_d", 4, now)
    assert "held for 120 s of clips that are still rendering" in refusal.value.sentence

    quotas.settle(video="video_a", now=now)
    quotas.settle(video="video_c", now=now)
    with refused("quota_exhausted") as refusal:
        reserve(member, "video_d", 4, now)
    assert refusal.value.sentence == "Your 120 s for today are used. 120 s more come at 00:00."


def test_a_refusal_on_a_fresh_day_leaves_no_row(member: int, now: datetime) -> None:
    with refused("quota_exhausted"):
        reserve(member, "video_a", 121, now)
    assert not QuotaAllowance.objects.exists()


def test_a_refusal_undoes_the_whole_transaction_it_stands_in(member: int, now: datetime) -> None:
    def two_at_once() -> None:
        with log.transaction():
            reserve(member, "video_a", 100, now)
            reserve(member, "video_b", 100, now)

    with pytest.raises(OverQuota):
        two_at_once()

    assert figures(member, now) == (120, 0, 0, 120)


@pytest.mark.parametrize("seconds", [0, -4])
def test_refuses_a_cost_that_would_give_seconds_away(seconds: int, member: int, now: datetime) -> None:
    with refused("bad_seconds"):
        reserve(member, "video_a", seconds, now)


def test_refuses_a_member_who_is_not_there(now: datetime) -> None:
    with refused("not_found"):
        reserve(0, "video_a", 4, now)
    with pytest.raises(NotFound):
        quota_today(0, now)


def test_the_day_ends_at_midnight_of_the_programmes_zone(member: int) -> None:
    before = datetime(2026, 3, 2, 22, 59, tzinfo=UTC)
    after = before + timedelta(minutes=1)
    reserve(member, "video_a", 120, before)

    reserve(member, "video_b", 120, after)

    days = QuotaAllowance.objects.order_by("day").values_list("day", flat=True)
    assert list(days) == [date(2026, 3, 2), date(2026, 3, 3)]
    assert quota_today(member, before).resets_at == after


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        (datetime(2026, 3, 29, 0, 0, tzinfo=UTC), 22),  # 01:00 in Amsterdam; that night an hour is left out
        (datetime(2026, 10, 25, 0, 0, tzinfo=UTC), 23),  # 02:00 there; that night an hour comes twice
    ],
)
def test_the_day_ends_at_midnight_when_clocks_change_too(moment: datetime, hours: int, member: int) -> None:
    resets_at = quota_today(member, moment).resets_at

    assert resets_at.astimezone(UTC) - moment == timedelta(hours=hours)
    assert resets_at.strftime("%H:%M") == "00:00"


@pytest.mark.parametrize("end", [quotas.settle, quotas.release])
def test_a_clip_that_ends_tomorrow_counts_today(end: Callable[..., bool], member: int, now: datetime) -> None:
    tomorrow = now + timedelta(days=1)
    reserve(member, "video_a", 8, now)
    reserve(member, "video_b", 4, tomorrow)

    end(video="video_a", now=tomorrow)

    assert figures(member, now)[1] == 0
    assert figures(member, now)[2] == (8 if end is quotas.settle else 0)
    assert figures(member, tomorrow) == (120, 4, 0, 116)


def test_a_changed_allowance_counts_today(cohort_id: int, member: int, now: datetime) -> None:
    other = member_of(cohort_id, now)
    reserve(member, "video_a", 40, now)

    cohorts.set_daily_seconds(cohort_id=cohort_id, daily_seconds=200, by=HOUSE, now=now)

    assert figures(member, now) == (200, 40, 0, 160)
    assert figures(other, now) == (200, 0, 0, 200)


def test_a_smaller_allowance_takes_nothing_back(cohort_id: int, member: int, now: datetime) -> None:
    reserve(member, "video_a", 40, now)
    reserve(member, "video_b", 20, now)
    quotas.settle(video="video_a", now=now)

    cohorts.set_daily_seconds(cohort_id=cohort_id, daily_seconds=10, by=HOUSE, now=now)

    assert figures(member, now) == (60, 20, 40, 0)
    assert figures(member, now + timedelta(days=1)) == (10, 0, 0, 10)
    assert quotas.release(video="video_b", now=now)


def test_yesterday_keeps_its_allowance(cohort_id: int, member: int, now: datetime) -> None:
    reserve(member, "video_a", 40, now - timedelta(days=1))

    cohorts.set_daily_seconds(cohort_id=cohort_id, daily_seconds=50, by=HOUSE, now=now)

    assert QuotaAllowance.objects.get().limit_seconds == 120


@pytest.mark.parametrize(
    "change", [{"reserved": -1}, {"used": -1}, {"reserved": 60, "used": 61}, {"limit_seconds": 7}]
)
def test_the_table_refuses_sums_that_cannot_be(change: dict[str, int], member: int, now: datetime) -> None:
    reserve(member, "video_a", 8, now)

    with pytest.raises(IntegrityError), transaction.atomic():
        QuotaAllowance.objects.update(**change)


@pytest.mark.parametrize(
    "extra",
    [{"kind": "reserve"}, {"kind": "settle"}, {"kind": "release"}, {"kind": "gift", "video": "video_b"}],
)
def test_the_ledger_refuses_a_second_beginning_or_end(
    extra: dict[str, str], member: int, now: datetime
) -> None:
    reserve(member, "video_a", 8, now)
    quotas.settle(video="video_a", now=now)
    entry = QuotaEntry.objects.latest("id")

    with pytest.raises(IntegrityError), transaction.atomic():
        QuotaEntry.objects.create(
            **{
                "membership_id": member,
                "allowance_id": entry.allowance_id,
                "video": "video_a",
                "seconds": 8,
                "at": now,
            }
            | extra
        )


@pytest.mark.parametrize("sql", ["UPDATE {} SET seconds = 1", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_ledger_only_grows(sql: str, member: int, now: datetime) -> None:
    reserve(member, "video_a", 8, now)

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql.format("programme_quotaentry"))


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_only_as_many_as_fit_get_the_last_seconds(now: datetime) -> None:
    member = member_of(people.cohort(people.programme(now).id, now, daily_seconds=40), now)

    outcome = at_once(*(partial(reserve, member, f"video_{number}", 8, now) for number in range(8)))

    assert sorted(type(result).__name__ for result in outcome) == ["NoneType"] * 5 + ["OverQuota"] * 3
    assert figures(member, now) == (40, 40, 0, 0)
    assert QuotaEntry.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_of_settle_and_release_at_once_one_takes_effect(now: datetime) -> None:
    member = member_of(people.cohort(people.programme(now).id, now), now)
    for number in range(5):
        video = f"video_{number}"
        reserve(member, video, 4, now)
        deeds = [partial(end, video=video, now=now) for end in (quotas.settle, quotas.release) * 2]

        assert sorted(at_once(*deeds)) == [False, False, False, True]

    _, reserved, used, _ = figures(member, now)
    settled = QuotaEntry.objects.filter(kind="settle").count()
    assert (reserved, used) == (0, 4 * settled)


@pytest.mark.django_db(transaction=True)
def test_a_first_render_during_a_change_of_the_allowance_sees_the_new_one(now: datetime) -> None:
    cohort_id = people.cohort(people.programme(now).id, now)
    members = [member_of(cohort_id, now) for _ in range(4)]
    change = partial(cohorts.set_daily_seconds, cohort_id=cohort_id, daily_seconds=60, by=HOUSE, now=now)

    outcome = at_once(change, *(partial(reserve, member, f"video_{member}", 4, now) for member in members))

    assert outcome == [None] * 5
    assert {figures(member, now) for member in members} == {(60, 4, 0, 56)}

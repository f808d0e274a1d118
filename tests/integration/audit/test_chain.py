from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, LiteralString

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit import log, queries
from audit.chain import GENESIS, Entry, digest
from audit.models import AuditEvent, AuditHead
from core.actors import system
from embedded.postgres import SUPERUSER, Postgres
from tests.factories.floor import at_once
from tests.rig import environment

HOUSE = system("test")


def write(action: str, now: datetime, *, target: str = "tok_1", data: dict[str, Any] | None = None) -> None:
    with log.transaction() as events:
        events.record(action=action, actor=HOUSE, target=target, now=now, data=data)


def write_many(count: int, action: str, now: datetime) -> None:
    for number in range(count):
        write(action, now, data={"number": number})


def tamper(postgres: Postgres, sql: LiteralString, *params: Any) -> None:
    """What somebody can do who owns the server: the triggers are set aside."""
    url = postgres.url(role=SUPERUSER, database=environment.TEST_DATABASE)
    with psycopg.connect(url) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(sql, params)


@pytest.mark.django_db
def test_each_event_carries_the_hash_of_the_one_before(now: datetime) -> None:
    write_many(3, "token.issued", now)

    rows = list(AuditEvent.objects.order_by("seq"))
    previous = GENESIS
    for number, row in enumerate(rows, start=1):
        entry = Entry(now, "system:test", "token.issued", "tok_1", {"number": number - 1})
        assert row.seq == number
        assert bytes(row.previous) == previous
        assert bytes(row.hash) == digest(seq=number, entry=entry, previous=previous)
        previous = bytes(row.hash)
    assert bytes(AuditHead.objects.get().hash) == previous
    assert queries.verify().broken_at is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"at": datetime.fromisoformat("2026-03-02T12:00:00.000001+00:00")},
        {"actor": "x"},
        {"action": "x"},
        {"target": "x"},
        {"data": {"a": 2}},
    ],
)
def test_the_hash_covers_every_field(change: dict[str, Any], now: datetime) -> None:
    fields: dict[str, Any] = {"at": now, "actor": "user:a", "action": "b", "target": "c", "data": {"a": 1}}
    original = digest(seq=1, entry=Entry(**fields), previous=GENESIS)

    assert digest(seq=1, entry=Entry(**(fields | change)), previous=GENESIS) != original
    assert digest(seq=2, entry=Entry(**fields), previous=GENESIS) != original
    assert digest(seq=1, entry=Entry(**fields), previous=b"\1" * 32) != original


@pytest.mark.django_db
def test_a_service_within_a_service_makes_one_chain_and_one_commit(now: datetime) -> None:
    with log.transaction() as outer:
        outer.record(action="outer.first", actor=HOUSE, target="a", now=now)
        write("inner", now)
        outer.record(action="outer.last", actor=HOUSE, target="a", now=now)
        assert not AuditEvent.objects.exists()  # written when the outermost ends

    assert list(AuditEvent.objects.order_by("seq").values_list("action", flat=True)) == [
        "outer.first",
        "inner",
        "outer.last",
    ]


@pytest.mark.django_db
def test_what_fails_leaves_no_event(now: datetime) -> None:
    def fail() -> None:
        with log.transaction() as events:
            events.record(action="token.issued", actor=HOUSE, target="a", now=now)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()

    assert not AuditEvent.objects.exists()
    write("token.issued", now)
    assert AuditEvent.objects.get().seq == 1


@pytest.mark.django_db
def test_a_transaction_without_events_does_not_touch_the_head() -> None:
    with log.transaction():
        pass
    assert AuditHead.objects.get().seq == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_auditevent SET actor = 'nobody'",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "DELETE FROM audit_audithead",
        "TRUNCATE audit_audithead",
    ],
)
def test_the_database_refuses_to_change_what_was_written(sql: str, now: datetime) -> None:
    write("token.issued", now)

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)

    assert queries.verify().count == 1


@pytest.mark.django_db
def test_there_is_one_head(now: datetime) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditHead.objects.create(id=2)


@pytest.mark.django_db(transaction=True)
def test_the_chain_holds_with_eight_writers_at_once(now: datetime) -> None:
    outcome = at_once(*(partial(write_many, 20, f"writer.{number}", now) for number in range(8)))

    assert outcome == [None] * 8
    assert queries.verify() == queries.Proof(160, None)
    for number in range(8):
        own = AuditEvent.objects.filter(action=f"writer.{number}").order_by("seq")
        assert [event.data["number"] for event in own] == list(range(20))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sql", "broken_at", "reason"),
    [
        ("UPDATE audit_auditevent SET actor = 'user:nobody' WHERE seq = 3", 3, "its fields were changed"),
        ("UPDATE audit_auditevent SET data = '{\"number\": 9}' WHERE seq = 3", 3, "its fields were changed"),
        (
            "UPDATE audit_auditevent SET at = at + interval '1 microsecond' WHERE seq = 2",
            2,
            "its fields were changed",
        ),
        (
            "UPDATE audit_auditevent SET hash = decode(repeat('01', 32), 'hex') WHERE seq = 3",
            3,
            "its fields were changed",
        ),
        (
            "UPDATE audit_auditevent SET previous = decode(repeat('01', 32), 'hex') WHERE seq = 4",
            4,
            "does not follow",
        ),
        ("DELETE FROM audit_auditevent WHERE seq = 2", 2, "row 2 is missing"),
        ("DELETE FROM audit_auditevent WHERE seq = 1", 1, "row 1 is missing"),
        ("DELETE FROM audit_auditevent WHERE seq >= 4", 4, "rows at the end are missing"),
        ("DELETE FROM audit_auditevent", 1, "rows at the end are missing"),
        ("UPDATE audit_audithead SET seq = 4", 6, "rows at the end are missing"),
    ],
)
def test_verify_names_the_first_row_that_does_not_fit(
    sql: LiteralString, broken_at: int, reason: str, postgres: Postgres, now: datetime
) -> None:
    write_many(5, "token.issued", now)
    call_command("verify_audit")

    tamper(postgres, sql)

    with pytest.raises(CommandError, match=rf"row {broken_at}\b.*{reason}"):
        call_command("verify_audit")


@pytest.mark.django_db(transaction=True)
def test_verify_says_how_many_rows_are_whole(capsys: pytest.CaptureFixture[str], now: datetime) -> None:
    write_many(5, "token.issued", now)

    call_command("verify_audit")

    assert capsys.readouterr().out == "The log is whole: 5 rows.\n"

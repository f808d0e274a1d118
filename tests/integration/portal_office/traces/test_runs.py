"""A run in the queue: stopped, lost with its worker, handed back, and in the log however it ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, transaction

from access.caller import Caller
from audit import outbox
from audit.models import AuditEvent
from core import clock
from generation.errors import Transient
from generation.forensic import child
from generation.models import Trace
from generation.services import traces, tracing
from generation.states import TRACE, TraceState
from generation.worker import tracing as looking
from tests.integration.portal_office.traces.conftest import (
    SignIn,
    content,
    page,
    sent,
    suspects,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stopped_trace_forgets_what_it_had_read(
    operator: Caller, video: str, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while the worker is at it: the worker hears of it and goes on with the next file."""
    browser = sign_in(operator)
    address = sent(browser, content(video))
    monkeypatch.setattr(looking, "_BEAT", 0.0)
    tell = traces.tell

    def stop_after(**told: object) -> None:
        tell(**told)  # type: ignore[arg-type]
        assert browser.post(f"{address}/cancel").status_code == 302

    monkeypatch.setattr(traces, "tell", stop_after)
    assert looking.drain() == 1
    trace = Trace.objects.get()
    assert (trace.state, trace.numbers, trace.reading) == (TraceState.CANCELLED, [], {})
    assert "Nothing was kept" in page(browser, address)
    browser.post(f"{address}/cancel")
    assert Trace.objects.get().state == TraceState.CANCELLED
    outbox.deliver_due(now=clock.now())
    assert suspects() == 0


def test_a_lost_workers_file_is_taken_over_once_and_then_set_aside(
    operator: Caller, video: str, sign_in: SignIn, now: datetime
) -> None:
    sent(sign_in(operator), content(video))
    first = traces.claim_next(now=now)
    assert first is not None
    assert traces.claim_next(now=now) is None
    later = now + traces.LEASE + timedelta(seconds=1)
    assert traces.wake_waiting(now=later)
    second = traces.claim_next(now=later)
    assert second is not None
    mine = traces.keep(job=first, pictures={"peak": b"first"})
    theirs = traces.keep(job=second, pictures={"peak": b"second"})
    assert mine != theirs
    assert traces.finish(job=first, numbers=[], reading={}, pictures=mine, now=later) is False
    assert traces.prolong(job=first, now=later) is False
    much_later = later + traces.LEASE + timedelta(seconds=1)
    assert traces.claim_next(now=much_later) is None
    trace = Trace.objects.get()
    assert trace.state == TraceState.FAILED
    assert "begun twice and never finished" in trace.sentence


def test_each_run_is_in_the_log_however_it_ends(
    operator: Caller, video: str, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "file.mp4"
    path.write_bytes(content(video))
    for fault in (KeyboardInterrupt, Transient("no memory")):
        monkeypatch.setattr(child, "trace_apart", Mock(side_effect=fault))
        with pytest.raises(CommandError):
            call_command("trace", str(path))
    ended = [event.data["ended"] for event in AuditEvent.objects.filter(action="file.traced").order_by("seq")]
    assert ended == ["KeyboardInterrupt", "Transient"]


def test_a_worker_that_has_to_leave_hands_the_file_to_another(
    operator: Caller, video: str, sign_in: SignIn, now: datetime
) -> None:
    sent(sign_in(operator), content(video))
    for _ in range(traces.MOST_TRIES + 1):
        job = traces.claim_next(now=now)
        assert job is not None
        assert traces.hand_back(job=job)
        assert not traces.hand_back(job=job)
    assert Trace.objects.get().state == TraceState.WAITING


def test_the_database_lets_nobody_confirm_their_own(operator: Caller, video: str, sign_in: SignIn) -> None:
    sent(sign_in(operator), content(video))
    looking.drain()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE generation_trace SET confirmed_by_id = asked_by_id, confirmed_at = now()")


def test_what_has_ended_stays_ended(operator: Caller, video: str, sign_in: SignIn, now: datetime) -> None:
    browser = sign_in(operator)
    address = sent(browser, content(video))
    job = traces.claim_next(now=now)
    assert job is not None
    for state in (state for state, after in TRACE.items() if not after):
        Trace.objects.update(state=state, ended_at=now, lease_token=None, lease_expires_at=None)
        assert not traces.hand_back(job=job)
        assert not traces.fail(job=job, sentence="late", now=now)
        assert not traces.refuse(job=job, sentence="late", now=now)
        assert not traces.finish(job=job, numbers=[1], reading={}, pictures={}, now=now)
        browser.post(f"{address}/cancel")
        assert traces.claim_next(now=now + timedelta(days=1)) is None
        assert Trace.objects.get().state == state


def test_a_run_that_loses_the_database_begins_anew(
    operator: Caller, video: str, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(sign_in(operator), content(video))
    recorded, cut = tracing._note, [OperationalError("gone"), None]

    def note(*told: object) -> None:
        if (fault := cut.pop(0)) is not None:
            raise fault
        recorded(*told)  # type: ignore[arg-type]

    monkeypatch.setattr(traces, "tell", Mock(side_effect=[OperationalError("gone"), *[None] * 99]))
    monkeypatch.setattr(tracing, "_note", note)
    assert looking.drain() == 2
    trace = Trace.objects.get()
    assert (trace.state, trace.tries, len(trace.numbers)) == (TraceState.DONE, 2, 1)

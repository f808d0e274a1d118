"""A worker at a copy: its lease is kept, and it stops where that is lost, where it hangs, where it has to leave."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from core import clock
from generation.errors import RenderCancelled
from generation.models import Copy, Master
from generation.services import copies, credentials, files
from generation.states import CopyState
from generation.worker import copies as copying
from generation.worker import pulse, sources
from generation.worker.leaving import leaving
from tests.factories.copies import LATER, claim, order, stored

pytestmark = pytest.mark.django_db(transaction=True)


def slowly(work: Any) -> Any:
    """The same, but the thread that keeps leases comes round meanwhile."""

    def later(*arguments: Any) -> Any:
        time.sleep(1.5 * pulse._TICK)
        return work(*arguments)

    return later


@pytest.mark.parametrize("at", ["read", "signed", "stored"])
def test_the_lease_is_kept_whatever_the_copy_is_at(
    master: Master, now: datetime, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setattr(copying, "_BEAT", 0.0)
    monkeypatch.setattr(pulse, "_TICK", 0.02)
    order(master)
    job = claim(clock.now())
    kept: list[bool] = []
    places: dict[str, tuple[Any, str]] = {
        "read": (sources, "opened"),
        "signed": (credentials, "sign_for"),
        "stored": (files, "keep"),
    }
    module, name = places[at]
    work = getattr(module, name)

    def wait(*arguments: Any) -> Any:
        began = clock.now()
        prolonged = Copy.objects.filter(lease_expires_at__gt=began + copies.LEASE)
        kept.append(_within(5, prolonged.exists))
        return work(*arguments)

    monkeypatch.setattr(module, name, wait)
    assert copying.make(job) is True
    assert kept == [True]


def test_a_worker_that_lost_its_lease_on_the_way_stores_nothing(
    master: Master, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_BEAT", 0.0)
    monkeypatch.setattr(sources, "opened", slowly(sources.opened))
    before = stored(master)
    order(master)
    late = claim(clock.now() - LATER)
    claim(clock.now())
    with pytest.raises(RenderCancelled):
        copying.make(late)
    assert stored(master) == before
    assert Copy.objects.filter(state=CopyState.MAKING, tries=2).exists()


def test_a_copy_that_hangs_is_not_kept_for_ever(
    master: Master, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_BEAT", 0.0)
    monkeypatch.setattr(copying, "_LONGEST", 0.0)
    monkeypatch.setattr(sources, "opened", slowly(sources.opened))
    one = order(master)
    assert copying.drain() == 1
    one.refresh_from_db()
    assert (one.state, one.tries) == (CopyState.MAKING, 1), "its lease runs out, and the try counts"


def test_a_process_whose_copy_does_not_even_stop_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs in code that never looks at its lease: nothing else would be made by it any more."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(pulse, "_TICK", 0.02)
    with pulse.pulse.keeping(lambda: True, every=60, longest=0.0):
        time.sleep(0.2)
        assert ended == []
        monkeypatch.setattr(pulse, "_HANGS", 0.1)
        assert _within(5, lambda: pulse.EXIT_HARD_LIMIT in ended)


def test_a_worker_that_has_to_leave_hands_its_copy_back_and_the_try_does_not_count(
    master: Master, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = order(master)
    work = sources.opened

    def leave(*arguments: Any) -> Any:
        leaving.note(at_once=True)
        return work(*arguments)

    monkeypatch.setattr(sources, "opened", leave)
    try:
        assert copying.drain() == 1
    finally:
        leaving.forget()
    one.refresh_from_db()
    assert (one.state, one.tries, one.lease_token) == (CopyState.WAITING, 0, None)


def _within(seconds: float, wanted: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not (found := wanted()) and time.monotonic() < until:
        time.sleep(0.02)
    return found

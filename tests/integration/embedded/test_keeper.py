from __future__ import annotations

from itertools import pairwise

import pytest

from embedded import keeper as keeping
from embedded.failures import CannotStart
from embedded.keeper import Keeper, pause_before


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Recorded:
    """A service that only notes what is done to it."""

    def __init__(self, name: str, notes: list[str], *, obeys: bool = True) -> None:
        self.name, self.notes, self.obeys = name, notes, obeys
        self.alive, self.starts_fail = False, False

    def start(self) -> None:
        self.notes.append(f"start {self.name}")
        if self.starts_fail:
            raise CannotStart("no")
        self.alive = True

    def ask_to_stop(self) -> None:
        self.notes.append(f"ask {self.name}")
        self.alive = self.alive and not self.obeys

    def stop(self) -> None:
        self.kill()

    def kill(self) -> None:
        self.notes.append(f"kill {self.name}")
        self.alive = False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(keeping, "time", made)
    return made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def keeper(said: list[str], clock: Clock) -> Keeper:
    return Keeper(said.append)


def test_restarts_what_dies_after_a_pause(keeper: Keeper, clock: Clock, said: list[str]) -> None:
    web = Recorded("web", [])
    keeper.start(web, floor=1)
    web.alive = False

    keeper.look()
    clock.now += 0.9
    keeper.look()
    assert said == ["web has ended; starting it again in 1 s"]
    clock.now += 0.2
    keeper.look()

    assert said == ["web has ended; starting it again in 1 s", "web runs again"]


def test_waits_longer_each_time_for_what_dies_again_at_once(keeper: Keeper, clock: Clock) -> None:
    notes: list[str] = []
    web = Recorded("web", notes)
    keeper.start(web, floor=1)
    starts = []
    for _ in range(400):
        web.alive = False
        before = len(notes)
        keeper.look()
        if len(notes) > before:
            starts.append(clock.now)
        clock.now += 0.5

    pauses = [later - earlier for earlier, later in pairwise(starts)]
    assert pauses[:3] == sorted(pauses[:3])
    assert max(pauses) <= keeping.LONGEST_PAUSE + 1
    assert len(starts) < 12


def test_goes_on_trying_when_a_restart_fails(keeper: Keeper, clock: Clock) -> None:
    web = Recorded("web", [])
    keeper.start(web, floor=1)
    web.alive, web.starts_fail = False, True
    for _ in range(4):
        keeper.look()
        clock.now += 40
    web.starts_fail = False
    for _ in range(2):
        keeper.look()
        clock.now += 40

    assert web.alive


def test_stops_doors_before_workers_before_servers(keeper: Keeper) -> None:
    notes: list[str] = []
    for name, floor in (("database", 0), ("worker", 1), ("web", 2)):
        keeper.start(Recorded(name, notes), floor=floor)
    notes.clear()

    keeper.stop()

    assert notes == ["ask web", "kill web", "ask worker", "kill worker", "ask database", "kill database"]


def test_kills_what_does_not_obey_when_its_time_is_over(keeper: Keeper, clock: Clock) -> None:
    stubborn = Recorded("stubborn", [], obeys=False)
    keeper.start(stubborn, floor=0)
    before = clock.now

    keeper.stop()

    assert not stubborn.alive
    assert 10 < clock.now - before < 15


def test_a_second_ctrl_c_shortens_the_wait_for_workers_but_not_for_the_database(
    keeper: Keeper, clock: Clock
) -> None:
    worker, database = Recorded("worker", [], obeys=False), Recorded("database", [], obeys=False)
    keeper.start(database, floor=0)
    keeper.start(worker, floor=1)
    before = clock.now

    keeper.stop(hurry=lambda: True)

    assert 10 < clock.now - before < 15


@pytest.mark.parametrize(("failures", "seconds"), [(0, 1), (1, 2), (4, 16), (5, 30), (50, 30)])
def test_pauses_double_up_to_half_a_minute(failures: int, seconds: float) -> None:
    assert pause_before(failures) == seconds

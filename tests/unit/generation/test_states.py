from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from core import states
from core.errors import WrongState
from generation.states import COPY, COPY_START, OPEN, START, TRACE, TRACE_START, TRANSITIONS, VideoState

README = Path(__file__).resolve().parents[3] / "generation" / "README.md"


@pytest.mark.parametrize(("current", "target"), list(product(VideoState, VideoState)))
def test_allows_exactly_the_steps_of_the_table(current: VideoState, target: VideoState) -> None:
    if target in TRANSITIONS[current]:
        states.check(TRANSITIONS, current, target)
    else:
        with pytest.raises(WrongState):
            states.check(TRANSITIONS, current, target)


def test_every_state_has_a_row_and_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(VideoState)
    assert all(state in START or states.sources(TRANSITIONS, state) for state in VideoState)


def test_open_states_are_those_that_can_still_change() -> None:
    assert {state for state in VideoState if TRANSITIONS[state]} == OPEN


def test_readme_shows_the_diagrams_of_the_tables() -> None:
    shown = README.read_text()
    assert states.diagram(TRANSITIONS, START) in shown
    assert states.diagram(COPY, COPY_START) in shown
    assert states.diagram(TRACE, TRACE_START) in shown

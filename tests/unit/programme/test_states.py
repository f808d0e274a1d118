from __future__ import annotations

from pathlib import Path

import pytest

from core import states
from core.errors import WrongState
from programme.states import MEMBERSHIP, MembershipState

README = Path(__file__).resolve().parents[3] / "platform" / "programme" / "README.md"
ALLOWED = {
    ("active", "suspended"),
    ("active", "ended"),
    ("suspended", "active"),
    ("suspended", "ended"),
}


@pytest.mark.parametrize("current", MembershipState)
@pytest.mark.parametrize("target", MembershipState)
def test_a_membership_moves_only_along_the_table(current: MembershipState, target: MembershipState) -> None:
    if (current.value, target.value) in ALLOWED:
        states.check(MEMBERSHIP, current, target)
    else:
        with pytest.raises(WrongState):
            states.check(MEMBERSHIP, current, target)


def test_every_state_has_its_row() -> None:
    assert set(MEMBERSHIP) == set(MembershipState)


def test_the_readme_shows_the_table_as_a_diagram() -> None:
    assert states.diagram(MEMBERSHIP, [MembershipState.ACTIVE]) in README.read_text(encoding="utf-8")

from __future__ import annotations

from pathlib import Path

import pytest

import review
from core.states import diagram
from review.states import AFTER, CASE, CASE_CLOSED, MACHINES, SUBMISSION, UNDECIDED, Outcome, SubmissionState

README = (Path(review.__file__).parent / "README.md").read_text()


@pytest.mark.parametrize("noun", MACHINES)
def test_readme_shows_the_transition_table(noun: str) -> None:
    table, start = MACHINES[noun]

    assert f"{noun}\n\n```mermaid\n{diagram(table, start)}\n```" in README


def test_every_outcome_leads_where_the_tables_allow() -> None:
    for outcome in Outcome:
        submission, case = AFTER[outcome]
        assert any(submission in targets for targets in SUBMISSION.values())
        assert any(case in targets for targets in CASE.values())
        assert (submission in UNDECIDED) == (case not in CASE_CLOSED)
    assert frozenset({SubmissionState.OPEN, SubmissionState.CHANGES_ASKED}) == UNDECIDED

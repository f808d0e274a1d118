from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Invalid, WrongState
from review.rules import Wish, can_share, check_can_share, check_verdict, check_wish, lease_end
from review.states import Outcome

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
USABLE, NEVER = frozenset({"P1", "P2"}), frozenset({"N1"})


def test_tidies_a_wish() -> None:
    wish = check_wish(Wish(title="  Harbour, 06:10 ", note="one\r\ntwo ", show_seed=True))

    assert wish == Wish(title="Harbour, 06:10", note="one\ntwo", show_seed=True)
    assert check_wish(Wish(title="x" * 120, note="y" * 2000)).title == "x" * 120


@pytest.mark.parametrize(
    "title", ["", " \n ", "x" * 121, "a\x00b", "a\nb", "a\tb", "a\x7fb", "a\ud800b", "a\u202eb"]
)
def test_refuses_a_bad_title_and_names_the_field(title: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_wish(Wish(title=title))

    assert set(refused.value.fields) == {"title"}


@pytest.mark.parametrize("note", ["y" * 2001, "a\x1bb", "a\udfffb"])
def test_names_every_bad_field_at_once(note: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_wish(Wish(title="", note=note))

    assert set(refused.value.fields) == {"title", "note"}


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"completed": False}, "not_completed"),
        ({"undecided": True}, "already_in_review"),
        ({"on_view": True}, "already_on_view"),
        ({"policy": False}, "no_policy"),
    ],
)
def test_says_why_a_clip_cannot_be_shared(facts: dict[str, bool], code: str) -> None:
    ready = {"completed": True, "undecided": False, "on_view": False, "policy": True}
    assert can_share(**ready)

    with pytest.raises(WrongState) as refused:
        check_can_share(**(ready | facts))

    assert refused.value.code == code
    assert not can_share(**(ready | facts))


@pytest.mark.parametrize(
    ("outcome", "reasons", "facts", "fields"),
    [
        ("banish", [], "", {"outcome"}),
        ("refuse", [], "a face at 0:02", {"reasons"}),
        ("refuse", ["P1"], "  ", {"facts"}),
        ("changes", [], "", {"reasons", "facts"}),
        ("refuse", ["P9"], "a face", {"reasons"}),
        ("refuse", ["P1", "N1"], "off-brand", {"reasons"}),
        ("approve", ["P1"], "", {"reasons"}),
        ("refuse", ["P1"], "x" * 4001, {"facts"}),
        ("refuse", ["P1"], "a\x00", {"facts"}),
    ],
)
def test_refuses_a_verdict_and_names_the_fields(
    outcome: str, reasons: list[str], facts: str, fields: set[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        check_verdict(outcome=outcome, reasons=reasons, facts=facts, usable=USABLE, never=NEVER)

    assert set(refused.value.fields) == fields
    assert refused.value.code == ("reason_never_counts" if "N1" in reasons else "invalid_request")


def test_takes_each_reason_once() -> None:
    verdict = check_verdict(
        outcome="refuse", reasons=["P2", "P1", "P2"], facts=" a face\r\nat 0:02 ", usable=USABLE, never=NEVER
    )

    assert (verdict.outcome, verdict.reasons, verdict.facts) == (
        Outcome.REFUSE,
        ("P2", "P1"),
        "a face\nat 0:02",
    )


def test_activity_prolongs_a_lease_up_to_forty_five_minutes() -> None:
    minutes = [lease_end(started=NOW, now=NOW + timedelta(minutes=m)) - NOW for m in (0, 10, 29, 30, 31, 44)]

    assert minutes == [timedelta(minutes=m) for m in (15, 25, 44, 45, 45, 45)]

from __future__ import annotations

import pytest

from delivery.ranges import Span, Unsatisfiable, begins_at_start, parse


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-0", Span(0, 0)),
        ("bytes=0-", Span(0, 99)),
        ("bytes=10-19", Span(10, 19)),
        ("bytes=90-200", Span(90, 99)),
        ("bytes=-10", Span(90, 99)),
        ("bytes=-500", Span(0, 99)),
        (" Bytes=99-", Span(99, 99)),
    ],
)
def test_cuts_a_single_range_to_the_file(header: str, span: Span) -> None:
    assert parse(header, 100) == span


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "items=0-5", "bytes=a-b", "bytes=٣-٤"],
)
def test_ignores_what_is_not_a_single_range(header: str | None) -> None:
    assert parse(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", f"bytes={10**17}-"])
def test_cannot_satisfy_a_range_behind_the_end(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse(header, 100)


def test_counts_as_the_beginning_what_holds_the_first_byte() -> None:
    begins = {
        h: begins_at_start(h, 100)
        for h in (None, "bytes=0-1", "bytes=-100", "nonsense", "bytes=1-", "bytes=200-")
    }

    assert begins == {
        None: True, "bytes=0-1": True, "bytes=-100": True, "nonsense": True, "bytes=1-": False, "bytes=200-": False
    }  # fmt: skip

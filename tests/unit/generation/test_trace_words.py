"""What a trace says where several programmes' copies are in one file."""

from __future__ import annotations

from datetime import UTC, datetime

from generation.forensic.trace import Named, Reading
from generation.queries.marks import CopyView
from generation.services.tracing import Answer, told


def test_the_control_stands_beside_the_reading_of_a_copy_that_is_told() -> None:
    theirs, ours = Named("2026-11.m1", 1, 40.0, -300.0), Named("2026-11.m1", 2, 12.0, -20.0)
    copy = CopyView(
        2, "public", "the public copy", "video_x", "ABCD-1234", datetime(2026, 11, 1, tzinfo=UTC), 1
    )
    reading = Reading(
        (theirs, ours), 40.0, pool=2, alignments=1, stage="as it is", frames=9, controls=(3.0,), pictures={}
    )
    said = " ".join(told(Answer("", reading, ((ours, copy),), elsewhere=1)))
    assert "strongest number reads 3.0; here it reads 12.0." in said
    assert "40" not in said
    assert "another programme" in said

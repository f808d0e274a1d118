"""How the studio tells what a render is at, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from generation.progress import Step
from generation.queries import ClipView, Waiting
from generation.states import VideoState
from portal.artist.words import again, now_of
from review.queries import ShareState

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def _clip(state: VideoState, *, started: datetime | None = None, attempts: int = 0) -> ClipView:
    values: dict[str, object] = dict.fromkeys(ClipView.__slots__)
    return ClipView(
        **values | {"state": state, "started_at": started, "attempts_made": attempts, "steps": 24}  # type: ignore[arg-type]  # what a wait does not show may be None
    )


@pytest.mark.parametrize(
    ("done", "passed", "words"),
    [
        (0, 5, "Starting."),
        (6, 20, "Step 6 of 24, about 60 s left."),
        (12, 24, "Step 12 of 24, about 20 s left."),
        (23, 46, "Step 23 of 24, a few seconds left."),
        (6, 120, "Step 6 of 24, about 6 min left."),
        (24, 60, "Encoding."),
    ],
)
def test_what_is_left_follows_the_pace_so_far(done: int, passed: int, words: str) -> None:
    clip = _clip(VideoState.IN_PROGRESS, started=AT - timedelta(seconds=passed))

    assert now_of(clip, ShareState(), Step(done, 24), None, AT).sentence == words


@pytest.mark.parametrize(
    ("state", "code", "offered", "button", "words"),
    [
        (VideoState.COMPLETED, "", True, "Render again", "the same frames"),
        (VideoState.CANCELLED, "cancelled", True, "Render it after all", "same words and seed"),
        (VideoState.FAILED, "render_failed", True, "Try again", "same words and seed"),
        (VideoState.FAILED, "prompt_too_long", True, "", "refused again"),
        (VideoState.COMPLETED, "", False, "", "Turbo is not open to you any more"),
        (VideoState.CANCELLED, "cancelled", False, "", "Turbo is not open to you any more"),
    ],
)
def test_again_is_offered_where_it_can_work_and_explained_where_it_cannot(
    state: VideoState, code: str, offered: bool, button: str, words: str
) -> None:
    clip = replace(_clip(state), error_code=code, variant_name="Turbo")

    told = again(clip, offered=offered)

    assert told.button == button
    assert words in told.sentence


@pytest.mark.parametrize(
    ("attempts", "waiting", "word", "sentence"),
    [
        (0, Waiting(1, 4), "First in the queue", "Starts in a few seconds."),
        (0, Waiting(3, 118), "Third in the queue", "Starts in about 2 min."),
        (0, Waiting(12, None), "Number 12 in the queue", ""),
        (
            1,
            Waiting(1, None),
            "First in the queue",
            "The machine stopped answering. Nothing was charged.",
        ),
    ],
)
def test_who_waits_reads_their_place_and_what_has_happened(
    attempts: int, waiting: Waiting, word: str, sentence: str
) -> None:
    found = now_of(_clip(VideoState.QUEUED, attempts=attempts), ShareState(), None, waiting, AT)

    assert (found.word, found.sentence) == (word, sentence)

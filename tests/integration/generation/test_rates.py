"""Frames a second: what a variant offers, what an order takes, and what a clip keeps of the one before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from access.caller import Caller
from core.errors import Invalid
from generation import queries
from generation.models import ModelVariant, Video
from generation.rules import order_from_settings
from generation.services import lineage
from tests.factories.generation import claim, completed_video, finish, queued_video
from tests.factories.looks import filmed, member_of, refused, unchanged

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _both_rates(artist: Caller) -> None:
    ModelVariant.objects.update(rates=[24, 30], images=True)


def _fps(*videos: str) -> list[int]:
    return [Video.objects.get(public_id=video).fps for video in videos]


def test_a_clip_has_the_rate_that_was_asked_for_else_the_variants_first(
    artist: Caller, now: datetime
) -> None:
    asked, unasked = queued_video(artist, now, fps=30), queued_video(artist, now)

    assert _fps(asked, unasked) == [30, 24]
    claimed = claim(now)
    assert (claimed.video, claimed.fps) == (asked, 30)
    assert finish(claimed, now)


@pytest.mark.parametrize(("rates", "sentence"), [([24], "24 frames"), ([24, 30], "24 or 30 frames")])
def test_refuses_another_rate_with_those_that_there_are(
    artist: Caller, now: datetime, rates: list[int], sentence: str
) -> None:
    ModelVariant.objects.update(rates=rates)

    with unchanged():
        refusal = refused(lambda: queued_video(artist, now, fps=60), Invalid, "invalid_request", "fps")

    assert refusal.sentence == f"Turbo makes {sentence} a second, not 60."


VERBS: dict[str, Callable[[Caller, str, datetime], tuple[str, ...]]] = {
    "remix": lambda caller, video, now: lineage.remix(caller=caller, video=video, now=now),
    "extend": lambda caller, video, now: lineage.extend(caller=caller, video=video, now=now),
    "final": lambda caller, video, now: lineage.final(caller=caller, video=video, now=now),
    "again": lambda caller, video, now: lineage.again(caller=caller, video=video, now=now),
}


@pytest.mark.parametrize("verb", VERBS)
def test_what_comes_from_a_clip_keeps_its_rate(artist: Caller, now: datetime, verb: str) -> None:
    source = filmed(artist, now, fps=30)

    assert _fps(*VERBS[verb](artist, source, now)) == [30]


@pytest.mark.parametrize("verb", VERBS)
def test_a_rate_that_is_not_offered_any_more_stays_with_the_same_frames_alone(
    artist: Caller, now: datetime, verb: str
) -> None:
    source = filmed(artist, now, fps=30)
    ModelVariant.objects.update(rates=[24])

    assert _fps(*VERBS[verb](artist, source, now)) == [30 if verb == "again" else 24]


def test_a_final_may_have_another_rate_than_its_take(artist: Caller, now: datetime) -> None:
    source = completed_video(artist, now)

    assert _fps(*lineage.final(caller=artist, video=source, fps=30, now=now)) == [30]
    with unchanged():
        refused(
            lambda: lineage.final(caller=artist, video=source, fps=25, now=now),
            Invalid,
            "invalid_request",
            "fps",
        )


def test_settings_ask_for_the_rate_that_they_name(artist: Caller, now: datetime) -> None:
    source = queued_video(artist, now, fps=30)

    order = order_from_settings(queries.settings(source, member_of(artist).id))

    assert order.fps == 30


@pytest.mark.parametrize("rates", [[25], [], [24, 60]])
def test_a_variant_has_24_or_30_or_both(artist: Caller, rates: list[int]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVariant.objects.update(rates=rates)

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from access.caller import Caller
from audit.models import AuditEvent, OutboxEvent
from core.errors import DomainError, Invalid, OverQuota
from generation import queries
from generation.models import Video
from generation.rules import Order
from generation.services import requests
from generation.states import VideoState
from programme.queries import quota_today
from tests.factories.generation import PROMPT, queued_video
from tests.rig.sent import Sent

pytestmark = pytest.mark.django_db


def _left(caller: Caller, now: datetime) -> int:
    assert caller.membership is not None
    return quota_today(caller.membership.id, now).left


@pytest.mark.django_db(transaction=True)
def test_queues_a_video_reserves_its_cost_and_wakes_the_workers_of_its_queue(
    artist: Caller, now: datetime, sent_tasks: Sent
) -> None:
    before = _left(artist, now)

    video = queued_video(artist, now, seconds=6, size="640x360", seed=7)

    clip = queries.clip(video)
    assert clip is not None
    assert (clip.state, clip.seconds, clip.size, clip.seed, clip.variant_slug) == (
        VideoState.QUEUED,
        6,
        "640x360",
        7,
        "turbo-1",
    )
    assert _left(artist, now) == before - 6
    assert (
        AuditEvent.objects.filter(action="video.requested", target=video, actor=str(artist.actor)).count()
        == 1
    )
    woken = [(task.kwargs, task.queue) for task in sent_tasks if task.name == "generation.wake"]
    assert woken == [({"lane": "turbo"}, "pv-tests.render.turbo")]


def test_chooses_the_variants_defaults_and_a_seed_of_its_own(artist: Caller, now: datetime) -> None:
    seeds = {queries.clip(queued_video(artist, now)).seed for _ in range(4)}  # type: ignore[union-attr]

    assert len(seeds) == 4
    video = Video.objects.latest("id")
    assert (video.seconds, video.width, video.height, video.steps) == (4, 1280, 720, 8)


@pytest.mark.parametrize(
    "order",
    [
        {"prompt": ""},
        {"prompt": "x" * 40_000},
        {"prompt": "nul \0"},
        {"seconds": 0},
        {"seconds": 10_000},
        {"size": "1x1"},
        {"seed": -1},
        {"variant": "sora-9"},
    ],
)
def test_a_refused_order_changes_nothing(
    artist: Caller,
    now: datetime,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    order: dict[str, Any],
) -> None:
    _left(artist, now)
    before = (AuditEvent.objects.count(), OutboxEvent.objects.count(), _left(artist, now))

    with django_capture_on_commit_callbacks() as leaving, pytest.raises(Invalid) as refusal:
        requests.submit(caller=artist, order=Order(**({"prompt": PROMPT} | order)), now=now)

    assert refusal.value.fields
    assert not Video.objects.exists()
    assert (AuditEvent.objects.count(), OutboxEvent.objects.count(), _left(artist, now)) == before
    assert not leaving


def test_refuses_what_the_days_quota_does_not_cover_and_queues_nothing(
    artist: Caller, now: datetime, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    assert artist.membership is not None
    while _left(artist, now) >= 12:
        queued_video(artist, now, seconds=12)
    count, left = Video.objects.count(), _left(artist, now)

    with django_capture_on_commit_callbacks() as leaving, pytest.raises(OverQuota):
        queued_video(artist, now, seconds=12)

    assert (Video.objects.count(), _left(artist, now)) == (count, left)
    assert not leaving


@pytest.mark.parametrize("who", ["suspended_artist", "artist_without_terms", "reviewer", "operator"])
def test_refuses_whoever_may_not_render(who: str, request: pytest.FixtureRequest, now: datetime) -> None:
    caller: Caller = request.getfixturevalue(who)

    with pytest.raises(DomainError) as refusal:
        queued_video(caller, now)

    assert refusal.value.code
    assert not Video.objects.exists()

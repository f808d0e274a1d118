"""Progress as server-sent events, from the real web process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from access.caller import Caller
from core import clock
from generation import progress
from generation.models import Video
from generation.services import requests
from generation.states import VideoState
from tests.factories.generation import claim, finish, queued_takes, queued_video, video_at
from tests.rig.site import LiveSite

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
Browse = Callable[[Caller], httpx.Client]


@pytest.fixture
def browse(live_site: LiveSite) -> Iterator[Browse]:
    opened: list[httpx.Client] = []

    def browser(caller: Caller) -> httpx.Client:
        session = Client()
        session.force_login(get_user_model().objects.get(pk=caller.user_id))
        cookie = session.cookies[settings.SESSION_COOKIE_NAME].value
        opened.append(
            httpx.Client(base_url=live_site.url, cookies={settings.SESSION_COOKIE_NAME: cookie}, timeout=20)
        )
        return opened[-1]

    yield browser
    for client in opened:
        client.close()


def _events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line[6:])


def test_a_stream_tells_the_place_in_the_queue_then_each_step_then_the_end(
    artist: Caller, browse: Browse
) -> None:
    now = clock.now()
    video = queued_video(artist, now)
    with browse(artist).stream("GET", f"/events/videos/{video}") as answer:
        events = _events(answer)
        waiting = next(events)
        held = claim(now)
        started = next(events)
        progress.publish(video, state="in_progress", done=3, total=8)
        step = next(events)
        finish(held, now)
        rest = list(events)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert (waiting["state"], waiting["position"]) == ("queued", 1)
    assert started["state"] == "in_progress"
    assert (step["done"], step["total"]) == (3, 8)
    assert rest[-1]["state"] == "completed"


def test_a_stream_ends_when_the_render_is_stopped(artist: Caller, browse: Browse) -> None:
    video = queued_video(artist, clock.now())
    assert artist.membership is not None
    with browse(artist).stream("GET", f"/events/videos/{video}") as answer:
        events = _events(answer)
        next(events)
        requests.cancel(video=video, membership_id=artist.membership.id, by=artist.actor, now=clock.now())

        assert next(events)["state"] == "cancelled"
        assert not list(events)


def test_a_stream_of_what_has_ended_says_so_at_once(artist: Caller, browse: Browse) -> None:
    video = video_at(VideoState.COMPLETED, artist, clock.now())

    events = list(_events(browse(artist).get(f"/events/videos/{video}")))

    assert [event["state"] for event in events] == ["completed"]


def test_nobody_else_follows_a_render(
    artist: Caller, other_artist: Caller, browse: Browse, live_site: LiveSite
) -> None:
    video = queued_video(artist, clock.now())

    assert browse(other_artist).get(f"/events/videos/{video}").status_code == 404
    assert browse(artist).get("/events/videos/video_nothing").status_code == 404
    assert httpx.get(f"{live_site.url}/events/videos/{video}").status_code == 401
    cookies = {settings.SESSION_COOKIE_NAME: "forged"}
    assert httpx.get(f"{live_site.url}/events/videos/{video}", cookies=cookies).status_code == 401


def test_one_stream_tells_of_every_take_of_a_request(artist: Caller, browse: Browse) -> None:
    now = clock.now()
    takes = queued_takes(artist, now, takes=3, seconds=2)
    other = queued_video(artist, now, seconds=2)
    request = Video.objects.get(public_id=takes[0]).request
    with browse(artist).stream("GET", f"/events/takes/{request}") as answer:
        events = _events(answer)
        assert next(events) == {}
        for video in (takes[0], other, takes[2]):
            progress.publish(video, state="in_progress", done=3, total=8)
        told = [next(events) for _ in range(2)]

    assert [event["video"] for event in told] == [takes[0], takes[2]]


def test_nobody_else_follows_the_takes_of_a_request(
    artist: Caller, other_artist: Caller, browse: Browse, live_site: LiveSite
) -> None:
    queued_takes(artist, clock.now(), takes=2, seconds=2)
    request = Video.objects.first().request  # type: ignore[union-attr]  # just made

    assert browse(other_artist).get(f"/events/takes/{request}").status_code == 404
    assert browse(artist).get("/events/takes/req_nothing").status_code == 404
    assert httpx.get(f"{live_site.url}/events/takes/{request}").status_code == 401

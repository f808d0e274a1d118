"""Queues, workers, what was set aside, and the styles that the programme offers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.caller import Caller
from generation.models import Adapter, StylePreset, Worker
from generation.queries.styles import usable
from generation.services import lifecycle, workers
from programme.queries import ProgrammeView
from tests.factories.generation import LANE, claim, queued_video

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db


def report(now: datetime, *, name: str = "gpu-1/77", rung: str = "none") -> None:
    held = {
        "checkpoint": "builtin",
        "memory": 512 * 1024**2,
        "load_seconds": 3.25,
        "warm_seconds": 0.5,
        "rung": rung,
        "dtype": "bfloat16",
        "images": True,
        "adapters": rung != "fp8",
        "at_once": 4 if rung == "none" else 1,
    }
    workers.report(name=name, lanes=[LANE], held=[held], now=now)


def test_lists_what_waits_and_who_renders(
    artist: Caller, operator: Caller, sign_in: SignIn, now: datetime
) -> None:
    report(now)
    queued_video(artist, now)

    page = sign_in(operator).get("/office/rendering").content.decode()

    assert "gpu-1/77" in page
    assert "Ready" in page
    assert "builtin: 512 MB, 3.2 s to load, 0.5 s to warm; bfloat16; 4 takes at once, pictures, LoRA<" in page
    assert f'<td class="code">{LANE}</td>' in page


def test_says_how_a_worker_saves_memory(
    artist: Caller, operator: Caller, sign_in: SignIn, now: datetime
) -> None:
    report(now, rung="fp8")

    page = sign_in(operator).get("/office/rendering").content.decode()

    assert "bfloat16, saves memory by fp8; 1 take at once, pictures<" in page


def test_says_which_queue_has_no_worker(
    artist: Caller, operator: Caller, sign_in: SignIn, now: datetime
) -> None:
    client = sign_in(operator)

    assert f"No worker takes the queue “{LANE}”" in client.get("/office/rendering").content.decode()
    report(now)
    assert f"No worker takes the queue “{LANE}”" not in client.get("/office/rendering").content.decode()


def test_a_worker_that_is_not_heard_of_any_more_is_told_so(
    artist: Caller, operator: Caller, sign_in: SignIn, now: datetime
) -> None:
    report(now - timedelta(minutes=10))
    workers.report(name="gpu-2/5", lanes=[LANE], held=[], now=now)
    workers.stopped(name="gpu-2/5", now=now)

    page = sign_in(operator).get("/office/rendering").content.decode()

    assert "Not seen" in page
    assert "Stopped" in page
    assert Worker.objects.count() == 2


def test_shows_what_ended_two_workers(
    artist: Caller, operator: Caller, sign_in: SignIn, now: datetime
) -> None:
    video = queued_video(artist, now)
    at = now
    for _ in range(2):
        claim(at)
        at += timedelta(minutes=5)
        lifecycle.reap(now=at)

    page = sign_in(operator).get("/office/rendering").content.decode()

    assert "Set aside" in page
    assert f"/office/clips/{video}" in page


def test_the_page_costs_the_same_however_much_there_is(
    artist: Caller, operator: Caller, sign_in: SignIn, now: datetime
) -> None:
    client = sign_in(operator)

    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get("/office/rendering")
        return len(seen)

    statements()
    few = statements()
    for number in range(5):
        report(now, name=f"gpu-{number}/1")
        queued_video(artist, now)
    assert statements() == few


STYLE = {"name": "Linocut", "description": "Two tones.", "template": "{prompt}, linocut", "guidance": "3.5"}


def test_a_style_is_offered_and_retired(
    artist: Caller, programme: ProgrammeView, operator: Caller, sign_in: SignIn, now: datetime
) -> None:
    client = sign_in(operator)
    assert artist.membership is not None

    assert client.post("/office/styles", STYLE).status_code == 302
    (style,) = usable(artist.membership)
    assert (style.name, style.template, style.guidance) == ("Linocut", "{prompt}, linocut", 3.5)
    assert "Linocut" in client.get("/office/styles").content.decode()

    assert client.post(f"/office/styles/{style.public_id}/retire").status_code == 302
    assert usable(artist.membership) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "1 to 60 characters"),
        ({"template": "no place"}, "once in the template"),
        ({"guidance": "much"}, "Write a number"),
        ({"guidance": "99"}, "0 to 30"),
    ],
)
def test_a_bad_style_keeps_what_was_typed_and_changes_nothing(
    change: dict[str, str], sentence: str, artist: Caller, operator: Caller, sign_in: SignIn
) -> None:
    response = sign_in(operator).post("/office/styles", STYLE | change)
    page = response.content.decode()

    assert response.status_code == 422
    assert sentence in page
    assert "Two tones." in page
    assert not StylePreset.objects.exists()


def test_a_file_that_is_no_lora_is_refused_and_not_kept(
    artist: Caller, operator: Caller, sign_in: SignIn
) -> None:
    file = SimpleUploadedFile("style.safetensors", b"not a safetensors file at all")
    response = sign_in(operator).post(
        "/office/adapters", {"adapter_name": "Ink", "variant": "turbo-1", "file": file}
    )

    assert response.status_code == 422
    assert not Adapter.objects.exists()


def test_no_artist_gets_in(artist: Caller, sign_in: SignIn) -> None:
    client = sign_in(artist)
    for address in ("/office/rendering", "/office/styles"):
        assert client.get(address).status_code in {302, 403, 404}
    assert client.post("/office/styles", STYLE).status_code in {302, 403, 404}
    assert not StylePreset.objects.exists()

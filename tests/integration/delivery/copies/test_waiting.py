"""What is told to whom whose copy is not there: that it is being made, or could not be, and when to come again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import connection
from django.test import Client

from access.caller import Caller
from core import clock
from core.errors import NotYet
from delivery import serve
from generation.models import Copy, Master
from generation.services import copies
from generation.states import CopyState, Purpose
from generation.worker import copies as copying
from generation.worker import run
from tests.factories import people
from tests.factories.api import Api
from tests.factories.review import Asked
from tests.integration.delivery.copies.conftest import by_token, own, whose

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = ("mp4", "poster", "sprite", "vtt", "sheet")


def test_a_token_is_told_when_to_come_again_and_one_that_ordered_need_not(
    artist: Caller, made: str, now: datetime
) -> None:
    token = people.token(artist, now).secret
    api = Api(token)
    told = api.get(f"/videos/{made}/content")
    assert (told.status, told.json["code"]) == (503, "copy_being_made")
    assert int(told.headers["Retry-After"]) > 0
    assert "x-should-retry" not in told.headers
    copying.drain()
    first = api.get(f"/videos/{made}/content")
    assert (first.status, whose(first.body)[0]) == (200, "token")

    ordered = api.post("/videos", {"prompt": "a red boat", "seconds": "2", "size": "640x360"})
    assert run.drain("turbo") == 1
    copying.drain()
    assert api.get(f"/videos/{ordered.json['id']}/content").status == 200


def test_a_token_whose_copy_could_not_be_made_is_told_so_at_once_and_has_none_made_before_it_has_rested(
    artist: Caller, made: str, now: datetime, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.COPY_WAIT_SECONDS = 30
    monkeypatch.setattr("generation.worker.copies.make", Mock(side_effect=ValueError("a fault")))
    program = by_token(artist, now)
    (master,) = Master.objects.filter(video__public_id=made).values_list("pk", flat=True)
    copies.order(master=master, purpose=Purpose.TOKEN, recipient=str(program.actor), now=now)
    copying.drain()
    with pytest.raises(NotYet) as refusal:
        own(program, made, "mp4", now)
    assert refusal.value.code == "copy_failed"
    assert 0 < refusal.value.extra["retry_after"] <= copies.PAUSE.total_seconds() + 60
    assert Copy.objects.get(purpose=Purpose.TOKEN).state == CopyState.FAILED


def test_a_token_waits_for_its_copy_and_gets_it_as_soon_as_it_is_there(
    artist: Caller, made: str, now: datetime, settings: Any
) -> None:
    settings.COPY_WAIT_SECONDS = 60
    program = by_token(artist, now)

    def make() -> None:
        while not copying.drain():
            time.sleep(0.1)
        connection.close()

    with ThreadPoolExecutor(1) as worker:
        making = worker.submit(make)
        assert whose(own(program, made, "mp4", now)) == ("token", str(program.actor))
        making.result()


def test_who_finds_no_place_to_wait_is_told_so_at_once(
    artist: Caller, made: str, now: datetime, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.COPY_WAIT_SECONDS = 60
    monkeypatch.setattr(serve, "_waiting", BoundedSemaphore(1))
    assert serve._waiting.acquire(blocking=False)
    began = time.monotonic()
    with pytest.raises(NotYet):
        own(by_token(artist, now), made, "mp4", now)
    assert time.monotonic() - began < 20
    serve._waiting.release()  # and it has given none back that it did not take


def test_the_desk_says_that_the_copy_is_being_made_and_then_shows_it(
    reviewer: Caller, held: Asked, sign_in: Any
) -> None:
    desk: Client = sign_in(reviewer)
    page = desk.get(f"/desk/cases/{held.case}").content.decode()
    assert "Your copy is being made" in page
    assert f'hx-get="/desk/cases/{held.case}/player"' in page
    assert "<video" not in page
    assert desk.get(f"/desk/cases/{held.case}/player").status_code == 204, "nothing has changed"
    copying.drain()
    player = desk.get(f"/desk/cases/{held.case}/player").content.decode()
    assert f'src="/desk/cases/{held.case}/video.mp4"' in player
    assert "hx-get" not in player


def test_the_office_makes_a_copy_for_its_operator_and_one_that_failed_again(
    operator: Caller, made: str, sign_in: Any
) -> None:
    office: Client = sign_in(operator)
    assert "Your copy is being made" in office.get(f"/office/clips/{made}").content.decode()
    Copy.objects.update(state=CopyState.FAILED, retry_at=clock.now() + timedelta(minutes=3))
    page = office.get(f"/office/clips/{made}/player").content.decode()
    assert "could not be made" in page
    assert f'<a href="/office/clips/{made}">ask then</a>' in page
    assert Copy.objects.get().state == CopyState.FAILED, "it rests"
    Copy.objects.update(retry_at=clock.now())
    assert office.get(f"/office/clips/{made}/player").status_code == 204
    assert Copy.objects.get().state == CopyState.WAITING, "looking again asks again"
    copying.drain()
    assert "<video" in office.get(f"/office/clips/{made}").content.decode()

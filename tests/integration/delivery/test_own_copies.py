"""Whoever looks at a clip that others can see as well gets a copy of their own, and nobody else's, ever."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import BoundedSemaphore
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory

from access.caller import Caller
from access.gate import caller_for_token
from core import clock
from core.errors import NotFound, NotYet, WrongState
from delivery import serve
from generation.models import Copy, Mark, Master, Rendition
from generation.services import copies, files
from generation.states import CopyState, Purpose
from generation.worker import copies as copying
from generation.worker import run
from programme.services import memberships
from review.models import GrantedRendition, ReleaseGrant
from tests.factories import people
from tests.factories.api import Api
from tests.factories.generation import queued_video
from tests.factories.review import Asked, asked, claimed, decided

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = ("mp4", "poster", "sprite", "vtt", "sheet")
factory = RequestFactory()


@pytest.fixture
def made(artist: Caller, now: datetime) -> str:
    """A rendered clip."""
    video = queued_video(artist, now, seconds=2, size="640x360")
    assert run.drain("turbo") == 1
    return video


@pytest.fixture
def held(artist: Caller, reviewer: Caller, made: str, now: datetime) -> Asked:
    found = asked(artist, now, video=made)
    claimed(reviewer, now)
    return found


@pytest.fixture
def now() -> datetime:
    """The real time: certificates hold by it alone."""
    return clock.now()


@pytest.fixture
def sign_in() -> Callable[[Caller], Client]:
    def browser(caller: Caller) -> Client:
        client = Client()
        client.force_login(get_user_model().objects.get(pk=caller.user_id))
        return client

    return browser


def by_token(caller: Caller, now: datetime) -> Caller:
    return caller_for_token(people.token(caller, now).secret, now)


def body(answer: HttpResponseBase) -> bytes:
    content = b"".join(answer)
    answer.close()
    return bytes(content)


def whose(content: bytes) -> tuple[str, str]:
    mark = Rendition.objects.get(sha256=hashlib.sha256(content).hexdigest()).mark
    assert mark is not None
    return mark.purpose, mark.recipient


def own(caller: Caller, video: str, kind: str, now: datetime) -> bytes:
    return body(serve.own_file(caller, video, kind, factory.get("/"), now=now))


def of_case(caller: Caller, case: str, kind: str, now: datetime) -> bytes:
    return body(serve.case_file(caller, case, kind, factory.get("/"), now=now))


def of_office(caller: Caller, video: str, kind: str, now: datetime) -> bytes:
    return body(serve.operator_file(caller, video, kind, factory.get("/"), now=now))


def test_each_viewer_gets_every_kind_of_their_own_copy(
    artist: Caller, reviewer: Caller, operator: Caller, held: Asked, now: datetime
) -> None:
    program = by_token(artist, now)
    asks: dict[str, Any] = {
        "master": lambda kind: own(artist, held.video, kind, now),
        "token": lambda kind: own(program, held.video, kind, now),
        "screening": lambda kind: of_case(reviewer, held.case, kind, now),
        "office": lambda kind: of_office(operator, held.video, kind, now),
    }
    for name in ("token", "office"):  # nobody has asked for these before
        with pytest.raises(NotYet):
            asks[name]("mp4")
    copying.drain()

    for kind in KINDS:
        if kind == "vtt":
            continue  # it names its sprite as the door does: the bytes are not the stored ones
        found = {name: whose(ask(kind)) for name, ask in asks.items()}
        assert found == {
            "master": ("master", str(artist.actor)),
            "token": ("token", str(program.actor)),
            "screening": ("screening", str(reviewer.actor)),
            "office": ("screening", str(operator.actor)),
        }
    assert all(asks[name]("vtt").startswith(b"WEBVTT") for name in asks)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("method", "headers"), [("get", {}), ("head", {}), ("get", {"HTTP_RANGE": "bytes=0-9"})], ids=str
)
def test_no_byte_of_another_copy_while_ones_own_is_being_made(
    artist: Caller,
    operator: Caller,
    reviewer: Caller,
    held: Asked,
    now: datetime,
    kind: str,
    method: str,
    headers: Any,
) -> None:
    program = by_token(artist, now)
    request = getattr(factory, method)("/", **headers)
    asks: tuple[Callable[[], HttpResponseBase], ...] = (
        lambda: serve.own_file(program, held.video, kind, request, now=now),
        lambda: serve.case_file(reviewer, held.case, kind, request, now=now),
        lambda: serve.operator_file(operator, held.video, kind, request, now=now),
    )
    for ask in asks:
        with pytest.raises(NotYet) as refusal:
            ask()
        assert refusal.value.extra["retry_after"] > 0
    copying.drain()
    answer = serve.own_file(program, held.video, kind, request, now=now)
    answer.close()
    assert answer.status_code in (200, 206)


def test_who_may_not_see_the_clip_has_no_copy_made(
    other_artist: Caller, other_reviewer: Caller, artist: Caller, held: Asked, now: datetime
) -> None:
    before = Copy.objects.count()
    for caller in (other_artist, by_token(other_artist, now)):
        with pytest.raises(NotFound):
            own(caller, held.video, "mp4", now)
    with pytest.raises(NotFound):
        of_case(other_reviewer, held.case, "mp4", now)
    assert Copy.objects.count() == before


def test_a_reviewer_who_takes_a_prepared_case_looks_at_once(
    artist: Caller, reviewer: Caller, other_reviewer: Caller, made: str, now: datetime
) -> None:
    """Two copies are made when the artist asks to share; the next one when the first is handed out."""
    case = asked(artist, now, video=made)
    assert copying.drain() == 2
    lease = claimed(reviewer, now)
    assert whose(of_case(reviewer, case.case, "mp4", now)) == ("screening", str(reviewer.actor))
    assert copying.drain() == 1, "for whoever comes next"
    assert lease.case == case.case


def test_approval_shows_the_public_copy_and_its_grant_lists_the_signed_files(
    artist: Caller, reviewer: Caller, made: str, now: datetime
) -> None:
    case = asked(artist, now, video=made)
    copying.drain()
    decided(case, "approve", reviewer, now)
    share = ReleaseGrant.objects.get()
    listed = {row.rendition.kind: row for row in GrantedRendition.objects.select_related("rendition__mark")}
    assert set(listed) == {"mp4", "poster"}
    for kind, row in listed.items():
        content = body(serve.public_file(share.public_id, kind, factory.get("/"), now=now))
        assert whose(content) == ("public", "everybody")
        assert hashlib.sha256(content).hexdigest() == row.sha256


def test_approval_waits_for_the_public_copy_and_nothing_is_half_done(
    artist: Caller, reviewer: Caller, made: str, now: datetime
) -> None:
    case = asked(artist, now, video=made)
    with pytest.raises(WrongState) as refusal:
        decided(case, "approve", reviewer, now)
    assert refusal.value.code == "copy_not_ready"
    assert not ReleaseGrant.objects.exists()
    copying.drain()
    decided(case, "approve", reviewer, now)
    assert ReleaseGrant.objects.count() == 1


def test_approval_asks_again_for_a_public_copy_that_could_not_be_made(
    artist: Caller, reviewer: Caller, made: str, now: datetime
) -> None:
    case = asked(artist, now, video=made)
    claimed(reviewer, now)
    rested = now + timedelta(minutes=3)
    public = Copy.objects.filter(purpose=Purpose.PUBLIC)
    public.update(state=CopyState.FAILED, error="no time stamp came", retry_at=rested)
    with pytest.raises(WrongState, match=r"could not be made.* in 3 minutes") as refusal:
        decided(case, "approve", reviewer, now)
    assert refusal.value.code == "copy_not_ready"
    assert public.get().state == CopyState.FAILED, "it rests"
    with pytest.raises(WrongState, match="is still being made"):
        decided(case, "approve", reviewer, rested)
    copying.drain()
    decided(case, "approve", reviewer, rested)
    assert ReleaseGrant.objects.count() == 1


def test_nothing_is_shown_that_names_its_artist_against_their_wish_of_that_moment(
    artist: Caller, reviewer: Caller, made: str, now: datetime
) -> None:
    assert artist.membership is not None
    wish = partial(memberships.credit, membership_id=artist.membership.id, by=artist.actor, now=now)
    wish(credited=True)
    case = asked(artist, now, video=made)
    copying.drain()
    claimed(reviewer, now)
    wish(credited=False)
    with pytest.raises(WrongState) as refusal:
        decided(case, "approve", reviewer, now)
    assert refusal.value.code == "copy_not_ready"
    copying.drain()
    decided(case, "approve", reviewer, now)
    (file, _) = GrantedRendition.objects.order_by("rendition__kind")
    content = files.store().path(file.rendition.storage_key).read_bytes()
    assert artist.public_name.encode() not in content


def test_a_refusal_needs_no_public_copy(artist: Caller, reviewer: Caller, made: str, now: datetime) -> None:
    decided(asked(artist, now, video=made), "refuse", reviewer, now)


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


def test_two_tokens_of_one_artist_have_copies_of_their_own(artist: Caller, made: str, now: datetime) -> None:
    one, two = by_token(artist, now), by_token(artist, now)
    for caller in (one, two):
        with pytest.raises(NotYet):
            own(caller, made, "mp4", now)
    copying.drain()
    assert own(one, made, "mp4", now) != own(two, made, "mp4", now)
    assert Mark.objects.filter(purpose=Purpose.TOKEN).count() == 2


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

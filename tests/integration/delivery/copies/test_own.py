"""Whoever looks at a clip that others can see as well gets a copy of their own, and nobody else's, ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.http.response import HttpResponseBase

from access.caller import Caller
from core.errors import NotFound, NotYet
from delivery import serve
from generation.models import Copy, Mark
from generation.states import Purpose
from generation.worker import copies as copying
from tests.factories.review import Asked, asked, claimed
from tests.integration.delivery.copies.conftest import by_token, factory, of_case, of_office, own, whose

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = ("mp4", "poster", "sprite", "vtt", "sheet")


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


def test_two_tokens_of_one_artist_have_copies_of_their_own(artist: Caller, made: str, now: datetime) -> None:
    one, two = by_token(artist, now), by_token(artist, now)
    for caller in (one, two):
        with pytest.raises(NotYet):
            own(caller, made, "mp4", now)
    copying.drain()
    assert own(one, made, "mp4", now) != own(two, made, "mp4", now)
    assert Mark.objects.filter(purpose=Purpose.TOKEN).count() == 2

"""A rendered clip, who asks for its files, and whose copy they get."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth import get_user_model
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory

from access.caller import Caller
from access.gate import caller_for_token
from core import clock
from delivery import serve
from generation.models import Rendition
from generation.worker import run
from tests.factories import people
from tests.factories.generation import queued_video
from tests.factories.review import Asked, asked, claimed

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

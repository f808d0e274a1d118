"""A rendered clip, a second operator, and what they do with files in the office."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from access import gate
from access.caller import Caller
from core import clock
from core.actors import system
from generation.models import Rendition
from generation.services import files
from generation.worker import run
from roles.roles import Role
from roles.services import grants
from tests.factories import people
from tests.factories.generation import queued_video

SignIn = Callable[[Caller], Client]


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def stopped_clock() -> None:
    """It runs: the certificates that copies are signed with hold from now on."""


@pytest.fixture
def second_operator(now: datetime) -> Caller:
    return people.holder(Role.OPERATOR, now, name="Ife Adebayo")


@pytest.fixture
def video(artist: Caller, now: datetime) -> str:
    made = queued_video(artist, now, seconds=2, size="640x360")
    assert run.drain("turbo") == 1
    return made


def content(video: str, purpose: str = "master", kind: str = "mp4") -> bytes:
    row = Rendition.objects.get(master__video__public_id=video, mark__purpose=purpose, kind=kind)
    return files.store().path(row.storage_key).read_bytes()


def sent(browser: Client, body: bytes, name: str = "found.mp4", note: str = "") -> str:
    """The address of the trace."""
    answer = browser.post("/office/traces", {"file": SimpleUploadedFile(name, body), "note": note})
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return answer["Location"]


def page(browser: Client, address: str) -> str:
    return browser.get(address).content.decode()


def operator_elsewhere(now: datetime) -> Caller:
    elsewhere = people.programme(now)
    member = people.artist(people.cohort(elsewhere.id, now), now)
    grants.grant(
        user_id=member.user_id, role=Role.OPERATOR, scope=elsewhere.public_id, by=system("test"), now=now
    )
    return gate.caller_for_user(member.user_id)


def suspects() -> int:
    return len(list(files.store().path("a/b.bin").parents[1].rglob("*.bin")))

"""The head's lock comes last: after it no service of the floor locks or writes anything but the log."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from django.db import connection

from access.caller import Caller
from access.kinds import TokenKind
from access.services import tokens
from accounts.services import people as accounts
from audit.models import AuditHead
from core.actors import system
from programme.services import admit, cohorts, invitations, memberships, programmes, quotas, terms
from roles.roles import Role
from roles.services import grants
from tests.factories import people

pytestmark = pytest.mark.django_db
HOUSE = system("test")
PARTS = ("accounts", "roles", "programme", "access")
READERS = {"programme.services.invitations.look_up", "programme.services.quotas.check_left"}

TO_THE_LOG = ("WITH appended AS (", "RELEASE SAVEPOINT", "SAVEPOINT")


class Scene:
    """Whatever a service needs to be called."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.programme = people.programme(now)
        self.cohort = people.cohort(self.programme.id, now)
        self.artist = people.artist(self.cohort, now)
        self.member = self._member(self.artist)
        self.suspended = self._member(people.artist(self.cohort, now, state="suspended"))
        self.newcomer = people.artist(self.cohort, now, accepted=False)
        self.person = people.account(now)
        self.reviewer = people.holder(Role.REVIEWER, now).user_id
        self.secret = people.invite(self.cohort, now)
        self.invitation = invitations.create(
            cohort_id=self.cohort, email="a@example.org", by=HOUSE, now=now
        ).public_id
        self.token = people.token(self.artist, now).public_id
        for video in ("video_a", "video_b"):
            quotas.reserve(membership_id=self.member, video=video, seconds=4, now=now)

    @staticmethod
    def _member(caller: Caller) -> int:
        assert caller.membership is not None
        return caller.membership.id


def _newcomers_yes(at: Scene) -> dict[str, Any]:
    assert at.newcomer.membership is not None
    return {"membership_id": at.newcomer.membership.id, "version": 1, "by": at.newcomer.actor}


CALLS: dict[Callable[..., Any], Callable[[Scene], dict[str, Any]]] = {
    accounts.create: lambda _: {"email": "new@example.org", "password": people.PASSWORD, "by": HOUSE},
    accounts.choose_public_name: lambda at: {"user_id": at.person, "name": "Ada", "by": HOUSE},
    accounts.deactivate: lambda at: {"user_id": at.person, "by": HOUSE},
    accounts.verify_email: lambda at: {"user_id": at.person, "email": "new@example.org", "by": HOUSE},
    accounts.set_staff: lambda at: {"user_id": at.person, "staff": True, "by": HOUSE},
    grants.grant: lambda at: {"user_id": at.person, "role": Role.OPERATOR, "by": HOUSE},
    grants.revoke: lambda at: {"user_id": at.reviewer, "role": Role.REVIEWER, "by": HOUSE},
    programmes.create: lambda _: {
        "slug": "new",
        "name": "New",
        "mark_text": "New",
        "timezone": "UTC",
        "by": HOUSE,
    },
    programmes.set_mark_styles: lambda at: {
        "programme_id": at.programme.id,
        "every": "outline",
        "public": "plate",
        "by": HOUSE,
    },
    cohorts.create: lambda at: {
        "programme_id": at.programme.id,
        "name": "New",
        "daily_seconds": 1,
        "by": HOUSE,
    },
    cohorts.set_daily_seconds: lambda at: {"cohort_id": at.cohort, "daily_seconds": 7, "by": HOUSE},
    invitations.create: lambda at: {"cohort_id": at.cohort, "email": "new@example.org", "by": HOUSE},
    invitations.accept: lambda at: {"secret": at.secret, "user_id": at.person, "by": HOUSE},
    invitations.revoke: lambda at: {"invitation": at.invitation, "by": HOUSE},
    admit.sign_up: lambda at: {"secret": at.secret, "password": people.PASSWORD},
    memberships.suspend: lambda at: {"membership_id": at.member, "by": HOUSE},
    memberships.reinstate: lambda at: {"membership_id": at.suspended, "by": HOUSE},
    memberships.credit: lambda at: {"membership_id": at.member, "credited": True, "by": HOUSE},
    memberships.end: lambda at: {"membership_id": at.member, "by": HOUSE},
    terms.publish: lambda at: {"programme_id": at.programme.id, "text": "New.", "by": HOUSE},
    terms.accept: _newcomers_yes,
    quotas.reserve: lambda at: {"membership_id": at.member, "video": "video_c", "seconds": 4},
    quotas.reserve_each: lambda at: {
        "membership_id": at.member,
        "videos": ["video_d", "video_e"],
        "seconds": 4,
    },
    quotas.settle: lambda _: {"video": "video_a"},
    quotas.release: lambda _: {"video": "video_b"},
    tokens.issue: lambda at: {
        "caller": at.artist,
        "kind": TokenKind.ARTIST,
        "name": "x",
        "scopes": ["videos:read"],
    },
    tokens.revoke: lambda at: {"token": at.token, "by": HOUSE},
}
UNLOGGED = {quotas.reserve, quotas.reserve_each, quotas.settle, quotas.release}
"""The ledger is append-only itself, and the video's request and end are in the log."""


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


def services() -> set[Callable[..., Any]]:
    found: set[Callable[..., Any]] = set()
    for part in PARTS:
        package = import_module(f"{part}.services")
        for module in (
            import_module(f"{part}.services.{info.name}") for info in iter_modules(package.__path__)
        ):
            found |= {
                function
                for name, function in inspect.getmembers(module, inspect.isfunction)
                if not name.startswith("_") and function.__module__ == module.__name__
            }
    return found


def test_every_service_of_the_floor_is_called_here() -> None:
    names = {f"{service.__module__}.{service.__name__}" for service in services() - set(CALLS)}

    assert names == READERS


@pytest.mark.parametrize("service", CALLS, ids=lambda service: f"{service.__module__}.{service.__name__}")
def test_nothing_is_locked_after_the_head(service: Callable[..., Any], now: datetime) -> None:
    scene = Scene(now)
    arguments = CALLS[service](scene)
    before = AuditHead.objects.get().seq

    with statements() as seen:
        service(**arguments, now=now + timedelta(minutes=1))

    locks = [number for number, sql in enumerate(seen) if "audit_audithead" in sql and "FOR UPDATE" in sql]
    if service in UNLOGGED:
        assert not locks
        return
    assert len(locks) == 1, "one turn at the head, however many services are nested"
    assert AuditHead.objects.get().seq > before
    after = [sql for sql in seen[locks[0] + 1 :] if not sql.startswith(TO_THE_LOG)]
    assert not after
    assert seen[locks[0] - 1] == "SET CONSTRAINTS ALL IMMEDIATE"

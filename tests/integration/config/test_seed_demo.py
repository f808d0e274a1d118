"""The demo's seed: real people, real renders, and nothing new the second time."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.test import Client

from access import gate
from access.models import ApiToken
from accounts import queries as accounts
from accounts.models import User
from audit import queries as audit
from audit.models import AuditEvent
from config.demo import story
from core import clock
from core.errors import Unauthenticated
from generation import queries as generation
from generation.models import Rendition, Video
from programme import queries
from programme.models import Cohort, Invitation, Membership, Programme, TermsAcceptance
from review import queries as review
from review.models import Decision, PolicyVersion, ReleaseGrant, Submission
from roles.models import RoleGrant
from tests.factories import people

TABLES: tuple[type[Model], ...] = (
    User,
    RoleGrant,
    Programme,
    Cohort,
    Invitation,
    Membership,
    TermsAcceptance,
    PolicyVersion,
    Video,
    Rendition,
    Submission,
    Decision,
    ReleaseGrant,
)


def run() -> dict[str, Any]:
    out = StringIO()
    call_command("seed_demo", "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return found


def rows() -> dict[str, int]:
    return {table.__name__: table._default_manager.count() for table in TABLES}


def email(role: str, found: dict[str, Any]) -> str:
    return str(next(login["email"] for login in found["logins"] if login["role"] == role))


@pytest.mark.timeout(400)
@pytest.mark.django_db(transaction=True)
def test_a_programme_is_seeded_once_with_clips_that_were_really_rendered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = tuple(replace(clip, size="640x360", seconds=2) for clip in story.CLIPS)
    monkeypatch.setattr(story, "CLIPS", small)

    first = run()
    before = rows()
    events = AuditEvent.objects.count()
    second = run()

    assert rows() == before
    assert before["Video"] == before["Submission"] + 1 == 3
    assert Video.objects.filter(state="completed").count() == 3
    made = Rendition.objects.filter(kind="mp4", bytes__gt=5_000)
    assert made.filter(mark__purpose="master").count() == 3
    assert made.filter(mark__purpose="public").count() == 1
    _check_stages()
    _check_logins(first)
    assert {key: value for key, value in first.items() if key not in {"token", "curl"}} == {
        key: value for key, value in second.items() if key not in {"token", "curl"}
    }
    # The second run ends the first token and makes one; nothing else is written.
    assert [event.action for event in audit.latest(limit=AuditEvent.objects.count() - events)] == [
        "token.issued",
        "token.revoked",
    ]
    with pytest.raises(Unauthenticated):
        gate.caller_for_token(first["token"], now=clock.now())
    assert gate.caller_for_token(second["token"], now=clock.now()).email == email("artist", first)
    assert ApiToken.objects.filter(revoked_at=None).count() == 1
    assert audit.verify().broken_at is None


def _check_stages() -> None:
    programme = queries.programme(story.SLUG)
    assert programme is not None
    ids = list(Video.objects.values_list("id", flat=True))
    states = review.share_state(ids, now=clock.now())
    assert sorted(state.state for state in states.values()) == ["in_review", "on_view", "private"]
    (shown,) = review.public_grants(now=clock.now(), limit=5)
    assert shown.artist_name == story.CLIPS[0].artist.name
    assert {variant.slug for variant in generation.variants(programme.id)} == {"turbo-1", "full-1"}
    policy = review.current_policy(programme.id)
    assert policy is not None
    assert len(policy.reasons) >= 8
    assert "It criticises us" in {reason.title for reason in policy.never}


def _check_logins(found: dict[str, Any]) -> None:
    assert [login["role"] for login in found["logins"]].count("reviewer") == 2
    assert [login["role"] for login in found["logins"]].count("artist") == 2
    for login in found["logins"]:
        client = Client()
        response = client.post("/accounts/login/", {"login": login["email"], "password": login["password"]})
        assert response.status_code == 302, login
        person = accounts.by_email(login["email"])
        assert person is not None
        assert person.public_name == login["name"]


def test_an_installation_with_a_programme_of_its_own_is_left_alone(db: None, now: Any) -> None:
    people.programme(now)
    before = rows()

    with pytest.raises(CommandError, match="passwords are public"):
        run()

    assert rows() == before


def test_an_address_that_others_can_reach_is_refused(db: None, settings: LazySettings) -> None:
    settings.BASE_URL = "https://view.example.org"

    with pytest.raises(CommandError, match="create_operator"):
        run()

    assert rows() == dict.fromkeys(rows(), 0)

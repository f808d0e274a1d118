"""From an empty house to a programme that can invite: made in the office, by an operator alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from access import gate
from access.caller import Caller
from audit.models import AuditEvent
from programme import queries
from programme.models import Programme, TermsVersion
from programme.queries import ProgrammeView
from programme.queries.programmes import MarkStyles, mark_styles
from review import queries as review
from review.models import PolicyVersion
from roles.roles import Role
from tests.factories import people

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db

NEW = {"name": "Dawn chorus", "slug": "dawn", "mark_text": "Dawn preview", "timezone": "Europe/Lisbon"}
POLICY = {
    "text": "What we decide by.",
    "reasons": "P1 | Readable personal data | An address that can be read.\n\nT1 | Mark covered | It | cannot be read.",
    "never": "N1 | It criticises us | Criticism is welcome.",
}


def test_an_empty_house_leads_its_operator_to_making_the_programme(operator: Caller, sign_in: SignIn) -> None:
    client = sign_in(operator)

    assert client.get("/office").url == "/office/programme"  # type: ignore[attr-defined]
    assert client.get("/office/programme").status_code == 200
    assert client.get("/office/cohorts").status_code == 404
    assert client.post("/office/programme", NEW).url == "/office"  # type: ignore[attr-defined]

    made = queries.programme("dawn")
    assert made is not None
    assert (made.name, made.mark_text, made.timezone) == ("Dawn chorus", "Dawn preview", "Europe/Lisbon")
    today = client.get("/office").content.decode()
    for missing in ("A variant", "Terms", "A policy", "A first cohort"):
        assert missing in today
    assert client.get("/office/programme").url == "/office"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "typed", [{"name": ""}, {"slug": "two words"}, {"mark_text": "x" * 25}, {"timezone": "Mars/Olympus"}]
)
def test_a_bad_programme_keeps_what_was_typed_and_makes_none(
    typed: dict[str, str], operator: Caller, sign_in: SignIn
) -> None:
    events = AuditEvent.objects.count()

    response = sign_in(operator).post("/office/programme", NEW | typed)
    page = response.content.decode()

    assert response.status_code == 422
    for value in (NEW | typed).values():
        assert f'value="{value}"' in page
    assert page.count('class="err"') == 1
    assert not Programme.objects.exists()
    assert AuditEvent.objects.count() == events


def test_who_operates_another_programme_only_makes_none(now: datetime, sign_in: SignIn) -> None:
    somebody = people.holder(Role.REVIEWER, now)

    assert sign_in(somebody).post("/office/programme", NEW).status_code == 403
    assert not Programme.objects.exists()


def test_terms_are_published_and_wait_for_the_members_yes(
    programme: ProgrammeView, artist: Caller, operator: Caller, sign_in: SignIn
) -> None:
    client = sign_in(operator)
    assert "What you make is yours." in client.get("/office/terms").content.decode()

    empty = client.post("/office/terms", {"text": "  "})
    good = client.post("/office/terms", {"text": "Version two, <in> full."})

    assert empty.status_code == 422
    assert good.status_code == 302
    current = queries.current_terms(programme.id)
    assert current is not None
    assert (current.number, current.text) == (2, "Version two, <in> full.")
    assert TermsVersion.objects.count() == 2
    assert not gate.may(gate.caller_for_user(artist.user_id), gate.Action.RENDER)


def test_a_policy_is_published_with_its_reasons_and_those_that_never_count(
    programme: ProgrammeView, operator: Caller, sign_in: SignIn
) -> None:
    client = sign_in(operator)

    response = client.post("/office/policy", POLICY)

    assert response.status_code == 302
    policy = review.current_policy(programme.id)
    assert policy is not None
    assert [(reason.code, reason.title, reason.explanation) for reason in policy.reasons] == [
        ("P1", "Readable personal data", "An address that can be read."),
        ("T1", "Mark covered", "It | cannot be read."),
    ]
    assert [reason.code for reason in policy.never] == ["N1"]
    again = client.get("/office/policy").content.decode()
    assert "P1 | Readable personal data | An address that can be read." in again


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"text": ""}, "A policy has a text."),
        ({"reasons": ""}, "at least one reason"),
        ({"reasons": "P1 | only two"}, "Line 1 needs three parts"),
        ({"reasons": f"P1 | {'x' * 121} | long"}, "longer than 120"),
        ({"reasons": "p1 | small | letters"}, "capitals"),
        ({"never": "P1 | twice | the same code"}, "Each code stands once."),
    ],
)
def test_a_bad_policy_keeps_what_was_typed_and_publishes_nothing(
    typed: dict[str, str], sentence: str, programme: ProgrammeView, operator: Caller, sign_in: SignIn
) -> None:
    sent = POLICY | typed

    response = sign_in(operator).post("/office/policy", sent)
    page = response.content.decode()

    assert response.status_code == 422
    assert sentence in page
    assert sent["never"] in page
    assert not PolicyVersion.objects.exists()


def test_the_operator_chooses_how_the_mark_looks(
    operator: Caller, programme: ProgrammeView, sign_in: SignIn
) -> None:
    browser = sign_in(operator)
    assert 'name="every" value="plate" checked' in browser.get("/office/mark").content.decode()

    answer = browser.post("/office/mark", {"every": "outline", "public": "discreet"})

    assert answer.status_code == 302
    assert mark_styles(programme.id) == MarkStyles("outline", "discreet")
    page = browser.get("/office/mark").content.decode()
    assert 'name="public" value="discreet" checked' in page
    event = AuditEvent.objects.get(action="programme.mark_styles_set")
    assert (event.actor, event.data) == (str(operator.actor), {"every": "outline", "public": "discreet"})


@pytest.mark.parametrize(
    "typed", [{"every": "discreet", "public": "plate"}, {"every": "plate", "public": "none"}, {}], ids=str
)
def test_the_discreet_mark_is_for_what_is_shown_alone(
    typed: dict[str, str], operator: Caller, programme: ProgrammeView, sign_in: SignIn
) -> None:
    answer = sign_in(operator).post("/office/mark", typed)

    assert (answer.status_code, "Choose one of these." in answer.content.decode()) == (422, True)
    assert mark_styles(programme.id) == MarkStyles("plate", "plate")
    assert not AuditEvent.objects.filter(action="programme.mark_styles_set").exists()

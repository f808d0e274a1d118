"""Cohorts, invitations and members."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access import gate
from access.caller import Caller
from audit import outbox
from audit.models import AuditEvent
from programme import queries
from programme.models import Cohort, Invitation
from programme.queries import ProgrammeView
from programme.services import invitations
from tests.factories import people

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db


def test_a_cohort_is_made_and_listed(programme: ProgrammeView, operator: Caller, sign_in: SignIn) -> None:
    client = sign_in(operator)

    response = client.post("/office/cohorts", {"name": "Second guests", "daily_seconds": "90"})

    assert response.status_code == 302
    assert ("Second guests", 90) in [(row.name, row.daily_seconds) for row in queries.cohorts(programme.id)]
    assert "Second guests" in client.get("/office/cohorts").content.decode()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "", "daily_seconds": "90"}, "1 to 80 characters"),
        ({"name": "Guests", "daily_seconds": "many"}, "Write a whole number."),
        ({"name": "Guests", "daily_seconds": "100000"}, "0 to 86400 seconds"),
        ({"name": "Guests", "daily_seconds": "-1"}, "Write a whole number."),
        ({"name": "Taken", "daily_seconds": "90"}, "already"),
    ],
)
def test_a_bad_cohort_keeps_what_was_typed_and_changes_nothing(
    typed: dict[str, str], sentence: str, programme: ProgrammeView, operator: Caller, sign_in: SignIn
) -> None:
    client = sign_in(operator)
    client.post("/office/cohorts", {"name": "Taken", "daily_seconds": "60"})
    before = Cohort.objects.count(), AuditEvent.objects.count()

    response = client.post("/office/cohorts", typed)
    page = response.content.decode()

    assert response.status_code == 422
    assert sentence in page
    assert f'value="{typed["name"]}"' in page
    assert f'value="{typed["daily_seconds"]}"' in page
    assert (Cohort.objects.count(), AuditEvent.objects.count()) == before


def test_the_daily_seconds_of_a_cohort_change(
    cohort_id: int, programme: ProgrammeView, operator: Caller, sign_in: SignIn
) -> None:
    (cohort,) = queries.cohorts(programme.id)
    client = sign_in(operator)

    bad = client.post(f"/office/cohorts/{cohort.public_id}", {"daily_seconds": "x"})
    good = client.post(f"/office/cohorts/{cohort.public_id}", {"daily_seconds": "240"})

    assert bad.status_code == 422
    assert "Write a whole number." in bad.content.decode()
    assert good.status_code == 302
    assert queries.cohorts(programme.id)[0].daily_seconds == 240


def test_an_invitation_is_mailed_and_its_link_shown_once(
    cohort_id: int,
    programme: ProgrammeView,
    operator: Caller,
    now: datetime,
    sign_in: SignIn,
    mailoutbox: list[mail.EmailMessage],
) -> None:
    (cohort,) = queries.cohorts(programme.id)
    client = sign_in(operator)

    response = client.post(
        "/office/invitations", {"email": "New.Artist@example.org", "cohort": cohort.public_id, "days": "3"}
    )
    outbox.deliver_due(now=now)

    page = response.content.decode()
    found = re.search(r'tabindex="0">(http://[^<]+/invitation/(pv_inv_[^<]+))<', page)
    assert found is not None
    assert found[1] in mailoutbox[0].body
    assert mailoutbox[0].to == ["new.artist@example.org"]
    assert invitations.look_up(found[2], now).email == "new.artist@example.org"
    assert invitations.look_up(found[2], now).expires_at == now + timedelta(days=3)
    assert response["Cache-Control"].find("no-store") >= 0
    assert found[2] not in client.get("/office/invitations").content.decode()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"email": "no address"}, "is not an e-mail address"),
        ({"days": "0"}, "1 to 90 days"),
        ({"days": "ten"}, "Write a whole number."),
        ({"cohort": "coh_elsewhere"}, "There is no such cohort."),
    ],
)
def test_a_bad_invitation_keeps_what_was_typed_and_mails_nothing(
    typed: dict[str, str],
    sentence: str,
    cohort_id: int,
    programme: ProgrammeView,
    operator: Caller,
    now: datetime,
    sign_in: SignIn,
    mailoutbox: list[mail.EmailMessage],
) -> None:
    (cohort,) = queries.cohorts(programme.id)
    sent = {"email": "guest@example.org", "cohort": cohort.public_id, "days": "14"} | typed

    response = sign_in(operator).post("/office/invitations", sent)
    outbox.deliver_due(now=now)
    page = response.content.decode()

    assert response.status_code == 422
    assert sentence in page
    assert f'value="{sent["email"]}"' in page
    assert f'value="{sent["days"]}"' in page
    assert not Invitation.objects.exists()
    assert not mailoutbox


def test_the_cohort_of_another_programme_is_not_there(
    cohort_id: int, operator: Caller, now: datetime, sign_in: SignIn
) -> None:
    elsewhere = people.programme(now)
    people.cohort(elsewhere.id, now)
    (foreign,) = queries.cohorts(elsewhere.id)
    client = sign_in(operator)

    assert client.post(f"/office/cohorts/{foreign.public_id}", {"daily_seconds": "9"}).status_code == 404
    sent = {"email": "guest@example.org", "cohort": foreign.public_id, "days": "14"}
    assert client.post("/office/invitations", sent).status_code == 422


def test_the_list_tells_open_used_taken_back_and_over_apart(
    cohort_id: int,
    artist: Caller,
    operator: Caller,
    now: datetime,
    sign_in: SignIn,
    stopped_clock: time_machine.Traveller,
) -> None:
    client = sign_in(operator)
    people.invite(cohort_id, now - timedelta(days=20), email="over@example.org")
    people.invite(cohort_id, now, email="open@example.org")
    people.invite(cohort_id, now, email="back@example.org")
    back = Invitation.objects.get(email="back@example.org").public_id

    response = client.post(f"/office/invitations/{back}/revoke")
    page = client.get("/office/invitations").content.decode()

    assert response.status_code == 302
    states = dict(re.findall(r"<td>([^<]+@example.org)</td>.*?class=\"is [^\"]+\">([^<]+)<", page, re.DOTALL))
    assert states["over@example.org"] == "Over"
    assert states["open@example.org"] == "Open"
    assert states["back@example.org"] == "Taken back"
    assert "Used" in states.values()
    used = Invitation.objects.exclude(accepted_at=None).get().public_id
    client.post(f"/office/invitations/{used}/revoke")
    assert Invitation.objects.get(public_id=used).revoked_at is None


def test_a_member_is_suspended_and_taken_up_again(artist: Caller, operator: Caller, sign_in: SignIn) -> None:
    assert artist.membership is not None
    member = artist.membership.public_id
    client = sign_in(operator)

    assert client.post(f"/office/members/{member}/suspend").status_code == 302
    suspended = gate.caller_for_user(artist.user_id)
    page = client.get("/office/members").content.decode()
    again = client.post(f"/office/members/{member}/suspend")
    client.post(f"/office/members/{member}/reinstate")

    assert not gate.may(suspended, gate.Action.RENDER)
    assert "Suspended" in page
    assert f"/office/members/{member}/reinstate" in page
    assert again.status_code == 302
    assert gate.may(gate.caller_for_user(artist.user_id), gate.Action.RENDER)


def test_a_member_of_another_programme_is_not_there(
    artist: Caller, operator: Caller, now: datetime, sign_in: SignIn
) -> None:
    elsewhere = people.programme(now)
    stranger = people.artist(people.cohort(elsewhere.id, now), now)
    assert stranger.membership is not None

    response = sign_in(operator).post(f"/office/members/{stranger.membership.public_id}/suspend")

    assert response.status_code == 404
    assert gate.may(gate.caller_for_user(stranger.user_id), gate.Action.RENDER)


@pytest.mark.parametrize("path", ["/office/members", "/office/invitations", "/office", "/office/cohorts"])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    path: str, cohort_id: int, operator: Caller, now: datetime, sign_in: SignIn
) -> None:
    client = sign_in(operator)
    counts = []
    for _ in range(2):
        for _ in range(2):
            people.artist(cohort_id, now)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        counts.append(len(captured))

    assert counts[0] == counts[1]
    assert counts[0] <= 16


def test_members_are_paged_by_cursor(
    cohort_id: int, operator: Caller, now: datetime, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.paging.SIZE", 2)
    names = ["Ada", "Ben", "Cleo"]
    for name in names:
        people.artist(cohort_id, now, name=name)
    client = sign_in(operator)

    first = client.get("/office/members").content.decode()
    cursor = first.partition('href="?after=')[2].partition('"')[0]
    second = client.get(f"/office/members?after={cursor}").content.decode()

    assert [name for name in names if name in first] == ["Ben", "Cleo"]
    assert [name for name in names if name in second] == ["Ada"]
    assert client.get("/office/members?after=x").status_code == 422

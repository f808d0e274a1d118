"""Shares, clips, tokens and the log, from the office."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access import gate
from access import queries as access
from access.caller import Caller
from access.kinds import TokenKind
from access.scopes import Scope
from audit import outbox
from audit.models import AuditEvent
from core.errors import Unauthenticated
from programme.queries import ProgrammeView
from review.models import ReleaseGrant
from tests.factories import people, review
from tests.factories.generation import completed_video, queued_takes
from tests.factories.review import Asked

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def shared(artist: Caller, reviewer: Caller, now: datetime) -> tuple[Asked, str]:
    return review.on_view(artist, reviewer, now, title="Roof, red sheet")


def test_the_confirm_page_names_what_happens_and_changes_nothing(
    shared: tuple[Asked, str], operator: Caller, sign_in: SignIn
) -> None:
    page = sign_in(operator).get(f"/office/shares/{shared[1]}/revoke").content.decode()

    assert "Take “Roof, red sheet” off view?" in page
    assert "410" in page
    assert "cannot be put back" in page
    assert "The clip stays theirs" in page
    assert ReleaseGrant.objects.get().state == "active"


def test_a_share_is_taken_back_with_a_reason_that_reaches_the_artist(
    shared: tuple[Asked, str],
    artist: Caller,
    operator: Caller,
    now: datetime,
    sign_in: SignIn,
    mailoutbox: list[mail.EmailMessage],
) -> None:
    client = sign_in(operator)
    outbox.deliver_due(now=now)
    mailoutbox.clear()

    response = client.post(f"/office/shares/{shared[1]}/revoke", {"reason": "P2: a face at 0:02.1."})
    outbox.deliver_due(now=now)

    grant = ReleaseGrant.objects.get()
    assert response.status_code == 302
    assert (grant.state, grant.revoked_by_role, grant.revoked_reason) == (
        "revoked",
        "operator",
        "P2: a face at 0:02.1.",
    )
    assert mailoutbox[0].to == [artist.email]
    assert "P2: a face at 0:02.1." in mailoutbox[0].body
    listed = client.get("/office/shares").content.decode()
    assert "by us" in listed
    assert client.get(f"/office/shares/{shared[1]}/revoke").status_code == 302


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
def test_without_a_usable_reason_nothing_is_taken_back(
    reason: str, shared: tuple[Asked, str], operator: Caller, sign_in: SignIn
) -> None:
    events = AuditEvent.objects.count()

    response = sign_in(operator).post(f"/office/shares/{shared[1]}/revoke", {"reason": reason})

    assert response.status_code == 422
    assert reason in response.content.decode()
    assert ReleaseGrant.objects.get().state == "active"
    assert AuditEvent.objects.count() == events


def test_shares_are_listed_by_state(
    shared: tuple[Asked, str],
    artist: Caller,
    reviewer: Caller,
    now: datetime,
    sign_in: SignIn,
    operator: Caller,
) -> None:
    from review.services import shares
    from review.states import RevokerRole

    _, other = review.on_view(artist, reviewer, now, title="Two lamps")
    shares.revoke(grant=other, reason="", by=artist.actor, as_role=RevokerRole.ARTIST, now=now)
    client = sign_in(operator)

    everything = client.get("/office/shares").content.decode()
    on_view = client.get("/office/shares?state=active").content.decode()
    back = client.get("/office/shares?state=revoked").content.decode()

    assert "Roof, red sheet" in everything
    assert "Two lamps" in everything
    assert "Two lamps" not in on_view
    assert "Roof, red sheet" not in back
    assert "by the artist" in back


def test_looking_at_a_clip_is_written_to_the_log(
    artist: Caller, operator: Caller, now: datetime, sign_in: SignIn
) -> None:
    video = completed_video(artist, now)
    client = sign_in(operator)

    page = client.get(f"/office/clips/{video}").content.decode()
    poster = client.get(f"/office/clips/{video}/poster.jpg")

    assert poster.getvalue().startswith(b"poster of")
    assert "a red boat drifting left over the sea" in page
    assert "Private" in page
    seen = AuditEvent.objects.filter(actor=str(operator.actor)).order_by("seq")
    assert [event.action for event in seen] == ["video.viewed", "rendition.viewed"]
    assert seen[0].target == video


def test_the_log_of_a_take_begins_with_its_request(
    artist: Caller, operator: Caller, now: datetime, sign_in: SignIn
) -> None:
    _, second = queued_takes(artist, now, takes=2)

    page = sign_in(operator).get(f"/office/clips/{second}").content.decode()

    assert "video.requested" in page


def test_a_clip_of_another_programme_is_not_there(
    artist: Caller, operator: Caller, now: datetime, sign_in: SignIn
) -> None:
    from tests.factories.generation import put_variants

    elsewhere = people.programme(now)
    put_variants(elsewhere.id, now)
    stranger = people.artist(people.cohort(elsewhere.id, now), now)
    video = completed_video(stranger, now)
    client = sign_in(operator)

    assert client.get(f"/office/clips/{video}").status_code == 404
    assert client.get(f"/office/clips/{video}/video.mp4").status_code == 404


def test_a_members_token_is_revoked_and_nothing_else(
    artist: Caller, operator: Caller, now: datetime, sign_in: SignIn
) -> None:
    doomed, kept = people.token(artist, now), people.token(artist, now)
    client = sign_in(operator)

    before = client.get("/office/tokens").content.decode()
    response = client.post(f"/office/tokens/{doomed.public_id}/revoke")

    assert response.status_code == 302
    assert doomed.secret not in before
    with pytest.raises(Unauthenticated):
        gate.caller_for_token(doomed.secret, now=now)
    assert gate.caller_for_token(kept.secret, now=now).user_id == artist.user_id
    assert "Revoked" in client.get("/office/tokens").content.decode()


@pytest.mark.parametrize(
    ("path", "who", "kind", "scope"),
    [
        ("/office/staff-tokens", "operator", TokenKind.OPERATOR, "shares:revoke"),
        ("/desk/tokens", "reviewer", TokenKind.REVIEWER, "review:decide"),
    ],
)
def test_staff_make_a_token_see_it_once_and_revoke_it(
    path: str,
    who: str,
    kind: TokenKind,
    scope: str,
    artist: Caller,
    now: datetime,
    sign_in: SignIn,
    request: pytest.FixtureRequest,
) -> None:
    caller: Caller = request.getfixturevalue(who)
    client = sign_in(caller)

    response = client.post(path, {"name": "night shift", "scopes": [scope], "days": "7"})
    found = re.search(r'tabindex="0">(pv_[^<]+)<', response.content.decode())
    assert found is not None
    (held,) = access.tokens_of(caller.user_id)
    bearer = gate.caller_for_token(found[1], now=now)

    assert held.kind == kind
    assert held.expires_at == now + timedelta(days=7)
    assert bearer.scopes == frozenset({Scope(scope)})
    assert found[1] not in client.get(path).content.decode()
    assert client.post(f"{path}/{held.public_id}/revoke").status_code == 302
    with pytest.raises(Unauthenticated):
        gate.caller_for_token(found[1], now=now)


@pytest.mark.parametrize(
    "typed",
    [
        {"name": ""},
        {"days": "366"},
        {"days": "x"},
        {"scopes": []},
        {"scopes": ["videos:write"]},
    ],
)
def test_a_bad_staff_token_keeps_what_was_typed_and_makes_none(
    typed: dict[str, object], artist: Caller, operator: Caller, sign_in: SignIn
) -> None:
    sent = {"name": "night shift", "scopes": ["shares:revoke"], "days": "7"} | typed

    response = sign_in(operator).post("/office/staff-tokens", sent)
    page = response.content.decode()

    assert response.status_code == 422
    assert f'value="{sent["name"]}"' in page
    assert f'value="{sent["days"]}"' in page
    assert 'class="err"' in page
    assert access.tokens_of(operator.user_id) == ()


def test_nobody_ends_somebody_elses_staff_token_here(
    artist: Caller, operator: Caller, reviewer: Caller, now: datetime, sign_in: SignIn
) -> None:
    theirs = people.token(reviewer, now, kind=TokenKind.REVIEWER)

    response = sign_in(operator).post(f"/office/staff-tokens/{theirs.public_id}/revoke")

    assert response.status_code == 404
    assert gate.caller_for_token(theirs.secret, now=now).user_id == reviewer.user_id


def test_the_log_shows_who_did_what_and_follows_one_thing(
    shared: tuple[Asked, str], artist: Caller, operator: Caller, sign_in: SignIn
) -> None:
    client = sign_in(operator)

    everything = client.get("/office/log").content.decode()
    one = client.get(f"/office/log?of={shared[0].case}").content.decode()

    assert "review.decided" in everything
    assert "Tomas Iravel" in everything
    assert "video.completed" in everything
    assert "review.decided" in one
    assert "video.completed" not in one
    assert client.get("/office/log?after=x").status_code == 422


def test_the_log_is_paged_by_number(
    shared: tuple[Asked, str], operator: Caller, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.paging.SIZE", 5)
    client = sign_in(operator)
    seen: list[int] = []
    path = "/office/log"
    while path:
        page = client.get(path).content.decode()
        seen += [int(number) for number in re.findall(r'<td class="n tick">(\d+)</td>', page)]
        more = re.search(r'href="(\?after=\d+)">More', page)
        path = f"/office/log{more[1]}" if more else ""

    assert seen == list(range(AuditEvent.objects.count(), 0, -1))


@pytest.mark.parametrize("path", ["/office/shares", "/office/tokens", "/office/log", "/office"])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    path: str,
    programme: ProgrammeView,
    artist: Caller,
    reviewer: Caller,
    operator: Caller,
    now: datetime,
    sign_in: SignIn,
) -> None:
    client = sign_in(operator)
    counts = []
    for _ in range(2):
        for _ in range(2):
            review.on_view(artist, reviewer, now)
            people.token(artist, now)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        counts.append(len(captured))

    assert counts[0] == counts[1]
    assert counts[0] <= 16

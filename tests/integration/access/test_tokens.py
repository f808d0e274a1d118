from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from access import gate
from access.caller import Caller
from access.gate import Action
from access.kinds import KINDS, TokenKind
from access.models import ApiToken
from access.queries import tokens_of
from access.scopes import Scope
from access.services import tokens
from accounts.services import people as accounts
from audit.models import AuditEvent
from core import bearer
from core.actors import Actor, system
from core.errors import Unauthenticated
from programme.services import invitations, memberships
from roles.roles import Role
from roles.services import grants
from tests.factories import people
from tests.factories.floor import at_once, everything, refused

pytestmark = pytest.mark.django_db
HOUSE = system("test")


@pytest.fixture
def cohort_id(db: None, now: datetime) -> int:
    return people.cohort(people.programme(now).id, now)


@pytest.fixture
def artist(cohort_id: int, now: datetime) -> Caller:
    return people.artist(cohort_id, now, name="Ada")


def refusal_of(raw: str, now: datetime) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        gate.caller_for_token(raw, now)
    assert refusal.value.sentence.endswith(".")
    return refusal.value.code


def test_its_bearer_is_the_artist_in_their_membership(artist: Caller, now: datetime) -> None:
    issued = people.token(artist, now, scopes=frozenset({"videos:read"}))

    caller = gate.caller_for_token(issued.secret, now)

    assert caller == replace(
        artist,
        actor=Actor("token", issued.public_id, artist.user_id),
        scopes=frozenset({Scope.VIDEOS_READ}),
        token_id=issued.public_id,
    )
    assert gate.may(caller, Action.READ_OWN)
    assert not gate.may(caller, Action.RENDER)


def test_its_secret_is_stored_nowhere(artist: Caller, now: datetime) -> None:
    issued = people.token(artist, now)
    parsed = bearer.parse(issued.secret)
    assert parsed is not None

    rows = repr(everything())

    assert issued.secret not in rows
    assert parsed.secret not in rows
    row = ApiToken.objects.get()
    assert row.lookup == parsed.id
    assert bytes(row.digest) == parsed.digest(settings.TOKEN_PEPPER)
    assert parsed.secret not in repr(issued)


def test_another_pepper_opens_nothing(artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = people.token(artist, now)

    monkeypatch.setattr(settings, "TOKEN_PEPPER", "another")

    assert refusal_of(issued.secret, now) == "invalid_token"


def test_a_revoked_token_is_refused_on_the_next_request_and_alone(artist: Caller, now: datetime) -> None:
    leaked, kept = people.token(artist, now), people.token(artist, now)
    assert gate.caller_for_token(leaked.secret, now).token_id == leaked.public_id

    for _ in range(2):
        tokens.revoke(token=leaked.public_id, by=artist.actor, now=now)

    assert refusal_of(leaked.secret, now) == "token_revoked"
    assert gate.caller_for_token(kept.secret, now).token_id == kept.public_id
    assert AuditEvent.objects.filter(action="token.revoked", target=leaked.public_id).count() == 1


def test_a_token_ends_at_its_moment(artist: Caller, now: datetime) -> None:
    issued = people.token(artist, now, days=1)
    end = now + timedelta(days=1)

    caller = gate.caller_for_token(issued.secret, end - timedelta(microseconds=1))
    assert caller.token_id == issued.public_id
    assert refusal_of(issued.secret, end) == "token_expired"


def test_forgeries_are_refused(artist: Caller, now: datetime) -> None:
    real = bearer.parse(people.token(artist, now).secret)
    assert real is not None
    forgeries = [replace(real, secret="0" * 32), replace(real, kind="opr"), replace(real, id="0" * 10)]

    for raw in [
        "",
        "pv_art_x",
        "\0",
        "x" * 10_000,
        *(forged.text for forged in forgeries),
        bearer.make("inv").text,
    ]:
        assert refusal_of(raw, now) == "invalid_token"


def test_an_invitations_secret_is_no_token(cohort_id: int, now: datetime) -> None:
    assert refusal_of(people.invite(cohort_id, now), now) == "invalid_token"


def test_a_closed_accounts_token_is_refused(artist: Caller, now: datetime) -> None:
    issued = people.token(artist, now)

    accounts.deactivate(user_id=artist.user_id, by=HOUSE, now=now)

    assert refusal_of(issued.secret, now) == "invalid_token"


def test_a_suspended_members_token_reads_and_renders_nothing(artist: Caller, now: datetime) -> None:
    issued = people.token(artist, now)
    assert artist.membership is not None

    memberships.suspend(membership_id=artist.membership.id, by=HOUSE, now=now)

    caller = gate.caller_for_token(issued.secret, now)
    assert gate.may(caller, Action.READ_OWN)
    assert not gate.may(caller, Action.RENDER)


def test_a_reviewers_token_ends_with_the_role(now: datetime) -> None:
    reviewer = people.holder(Role.REVIEWER, now)
    issued = people.token(reviewer, now, kind=TokenKind.REVIEWER)
    caller = gate.caller_for_token(issued.secret, now)
    assert caller.membership is None
    assert gate.may(caller, Action.REVIEW)

    grants.revoke(user_id=reviewer.user_id, role=Role.REVIEWER, by=HOUSE, now=now)

    assert not gate.may(gate.caller_for_token(issued.secret, now), Action.REVIEW)


def test_a_token_keeps_to_its_own_programme(artist: Caller, now: datetime) -> None:
    issued = people.token(artist, now)
    elsewhere = people.cohort(people.programme(now).id, now)
    later = now + timedelta(hours=1)
    invitations.accept(
        secret=people.invite(elsewhere, now), user_id=artist.user_id, by=artist.actor, now=later
    )

    assert gate.caller_for_token(issued.secret, later).membership == artist.membership


def test_one_statement_says_who_asks(artist: Caller, now: datetime) -> None:
    issued = people.token(artist, now)
    gate.caller_for_token(issued.secret, now)

    with CaptureQueriesContext(connection) as captured:
        gate.caller_for_token(issued.secret, now + timedelta(seconds=59))
        gate.caller_for_user(artist.user_id)

    assert len(captured) == 2


def test_its_last_use_is_written_once_a_minute(artist: Caller, now: datetime) -> None:
    issued = people.token(artist, now)

    def seen() -> datetime | None:
        return tokens_of(artist.user_id)[0].last_used_at

    assert seen() is None
    for seconds, expected in [(0, 0), (30, 0), (59, 0), (60, 60), (61, 60), (200, 200)]:
        gate.caller_for_token(issued.secret, now + timedelta(seconds=seconds))
        assert seen() == now + timedelta(seconds=expected)


@pytest.mark.django_db(transaction=True)
def test_noting_the_last_use_never_waits_for_a_lock(now: datetime) -> None:
    caller = people.artist(people.cohort(people.programme(now).id, now), now)
    issued = people.token(caller, now)

    def impatient() -> Caller:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        return gate.caller_for_token(issued.secret, now)

    with transaction.atomic():
        ApiToken.objects.select_for_update().get()
        (seen,) = at_once(impatient)

    assert isinstance(seen, Caller)
    assert ApiToken.objects.get().last_used_at is None


def test_a_list_shows_how_each_begins_and_never_its_secret(artist: Caller, now: datetime) -> None:
    issued = [people.token(artist, now), people.token(artist, now, days=1)]
    tokens.revoke(token=issued[0].public_id, by=artist.actor, now=now)

    listed = tokens_of(artist.user_id)

    assert [token.public_id for token in listed] == [issued[1].public_id, issued[0].public_id]
    assert all(
        one.secret.startswith(token.hint + "_") for one, token in zip(issued, listed[::-1], strict=True)
    )
    assert [token.state(now) for token in listed] == ["live", "revoked"]
    assert listed[0].state(now + timedelta(days=1)) == "expired"
    assert listed[0].programme == "Early Light"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "bad_name"),
        ({"name": "x" * 61}, "bad_name"),
        ({"name": "a\0b"}, "bad_name"),
        ({"scopes": []}, "bad_scopes"),
        ({"scopes": ["videos:read", "review:decide"]}, "bad_scopes"),
        ({"scopes": ["everything"]}, "bad_scopes"),
        ({"days": 0}, "bad_days"),
        ({"days": 366}, "bad_days"),
    ],
)
def test_a_refused_token_changes_nothing(
    changes: dict[str, object], code: str, artist: Caller, now: datetime
) -> None:
    asked = {"name": "laptop", "scopes": ["videos:read"], "days": 30} | changes

    with refused(code):
        tokens.issue(caller=artist, kind=TokenKind.ARTIST, now=now, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "state", "accepted", "code"),
    [
        (TokenKind.ARTIST, "suspended", True, "member_suspended"),
        (TokenKind.ARTIST, "ended", True, "membership_ended"),
        (TokenKind.ARTIST, "active", False, "terms_not_accepted"),
        (TokenKind.REVIEWER, "active", True, "not_a_reviewer"),
        (TokenKind.OPERATOR, "active", True, "not_an_operator"),
    ],
)
def test_who_may_not_use_it_gets_no_token(
    kind: TokenKind, state: str, accepted: bool, code: str, cohort_id: int, now: datetime
) -> None:
    caller = people.artist(cohort_id, now, state=state, accepted=accepted)

    with refused(code):
        people.token(caller, now, kind=kind)


def test_a_token_cannot_make_another(artist: Caller, now: datetime) -> None:
    bearer_of_all = gate.caller_for_token(people.token(artist, now).secret, now)

    with refused("session_only"):
        people.token(bearer_of_all, now)


@pytest.mark.parametrize("role", [Role.REVIEWER, None])
def test_a_strangers_token_cannot_be_revoked_or_told_from_none(
    role: Role | None, artist: Caller, cohort_id: int, now: datetime
) -> None:
    issued = people.token(artist, now)
    stranger = people.artist(cohort_id, now) if role is None else people.holder(role, now)

    for public_id in (issued.public_id, "tok_nobody"):
        with refused("not_found"):
            tokens.revoke(token=public_id, by=stranger.actor, now=now)


def test_an_operator_revokes_anybodys_token(artist: Caller, now: datetime) -> None:
    issued = people.token(artist, now)
    operator = people.holder(Role.OPERATOR, now)

    tokens.revoke(token=issued.public_id, by=operator.actor, now=now)

    assert ApiToken.objects.get().revoked_by == str(operator.actor)


def test_an_operator_of_another_programme_does_not(artist: Caller, now: datetime) -> None:
    issued = people.token(artist, now)
    operator = people.holder(Role.OPERATOR, now, scope=people.programme(now).public_id)

    with refused("not_found"):
        tokens.revoke(token=issued.public_id, by=operator.actor, now=now)


@pytest.mark.parametrize(
    "change",
    [
        {"membership": None},
        {"kind": "rev"},
        {"kind": "xyz"},
        {"scopes": ["review:decide"]},
        {"scopes": []},
        {"revoked_by": "somebody"},
        {"expires_at": datetime.fromisoformat("2020-01-01T00:00:00+00:00")},
    ],
)
def test_the_table_refuses_a_token_that_makes_no_sense(
    change: dict[str, object], artist: Caller, now: datetime
) -> None:
    people.token(artist, now)

    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.update(**change)


def test_the_table_refuses_somebody_elses_membership(artist: Caller, cohort_id: int, now: datetime) -> None:
    people.token(artist, now)
    other = people.artist(cohort_id, now).membership
    assert other is not None

    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.update(membership_id=other.id)


@pytest.mark.parametrize("kind", TokenKind)
def test_each_kind_can_hold_all_its_scopes(kind: TokenKind, artist: Caller, now: datetime) -> None:
    callers = {
        TokenKind.ARTIST: artist,
        TokenKind.REVIEWER: people.holder(Role.REVIEWER, now),
        TokenKind.OPERATOR: people.holder(Role.OPERATOR, now),
    }
    issued = people.token(callers[kind], now, kind=kind)

    assert gate.caller_for_token(issued.secret, now).scopes == KINDS[kind].scopes
    assert issued.secret.startswith(f"pv_{kind}_")

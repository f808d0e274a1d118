from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.core import mail
from django.db import IntegrityError, transaction
from pytest_django import Settings

from access import gate
from access.caller import Caller
from audit import outbox
from audit.models import AuditEvent, OutboxEvent
from core import bearer
from core.actors import system
from core.errors import WrongState
from programme import queries
from programme.models import Invitation, Membership
from programme.services import admit, invitations, memberships
from roles.roles import Role
from tests.factories import people
from tests.factories.floor import at_once, everything, refused

pytestmark = pytest.mark.django_db
HOUSE = system("test")


@pytest.fixture
def cohort_id(db: None, now: datetime) -> int:
    return people.cohort(people.programme(now).id, now)


def test_mails_the_link_and_keeps_no_copy_of_its_secret(
    cohort_id: int, now: datetime, settings: Settings
) -> None:
    inviter = people.holder(Role.OPERATOR, now, name="Mirre Halloran")
    made = invitations.create(cohort_id=cohort_id, email="Ada@example.org", by=inviter.actor, now=now)
    secret = made.link.removeprefix("/invitation/")

    assert outbox.deliver_due(now=now) == 1

    (letter,) = mail.outbox
    assert letter.to == ["ada@example.org"]
    assert letter.subject == "Your invitation to Early Light"
    assert f"{settings.BASE_URL}{made.link}\n" in letter.body
    assert "by Mirre Halloran" in letter.body
    assert "120 seconds" in letter.body
    assert "until 16 Mar, 13:00" in letter.body
    assert secret not in repr(everything())
    assert bytes(Invitation.objects.get().digest) not in (secret.encode(), secret[-38:].encode())


def test_a_name_in_the_mail_is_not_escaped(cohort_id: int, now: datetime) -> None:
    inviter = people.holder(Role.OPERATOR, now, name="D'Arcy & Sons")
    invitations.create(cohort_id=cohort_id, email="ada@example.org", by=inviter.actor, now=now)

    assert "D'Arcy & Sons" in OutboxEvent.objects.get(topic="mail").payload["body"]


def test_offers_what_signing_up_needs_to_show(cohort_id: int, now: datetime) -> None:
    secret = people.invite(cohort_id, now, email="ada@example.org")

    offer = invitations.look_up(secret, now)

    assert (offer.email, offer.programme, offer.daily_seconds) == ("ada@example.org", "Early Light", 120)
    assert offer.expires_at == now + timedelta(days=14)


def test_signing_up_makes_an_account_proves_the_address_and_joins(cohort_id: int, now: datetime) -> None:
    secret = people.invite(cohort_id, now, email="ada@example.org")

    user_id = admit.sign_up(secret=secret, password=people.PASSWORD, now=now)

    user = authenticate(None, email="ada@example.org", password=people.PASSWORD)
    assert user is not None
    assert user.pk == user_id
    assert EmailAddress.objects.filter(
        user_id=user_id, verified=True, primary=True, email="ada@example.org"
    ).exists()
    (member,) = queries.memberships_of(user_id)
    assert (member.cohort_id, member.state, member.terms_accepted) == (cohort_id, "active", False)
    actions = list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))
    assert actions[-4:] == [
        "account.created",
        "account.email_verified",
        "invitation.accepted",
        "membership.created",
    ]


def test_an_account_with_another_address_may_join_and_that_is_noted(cohort_id: int, now: datetime) -> None:
    secret = people.invite(cohort_id, now, email="ada@example.org")
    user_id = people.account(now, email="ada.at.work@example.org")

    membership_id = invitations.accept(secret=secret, user_id=user_id, by=people.actor_of(user_id), now=now)

    member = queries.membership(membership_id)
    assert member is not None
    assert member.user_id == user_id
    noted = AuditEvent.objects.get(action="invitation.accepted").data
    assert noted == {"account": people.actor_of(user_id).id, "same_address": False}
    (row,) = queries.invitations(member.programme.id)
    assert (row.email, row.accepted_email) == ("ada@example.org", "ada.at.work@example.org")


def test_a_second_use_is_refused_and_says_when_the_first_was(cohort_id: int, now: datetime) -> None:
    secret = people.invite(cohort_id, now)
    admit.sign_up(secret=secret, password=people.PASSWORD, now=now)
    stranger = people.account(now)

    with refused("invitation_used") as refusal:
        invitations.accept(secret=secret, user_id=stranger, by=people.actor_of(stranger), now=now)
    assert "used on 2 Mar" in refusal.value.sentence
    with refused("invitation_used"):
        admit.sign_up(secret=secret, password=people.PASSWORD, now=now)


@pytest.mark.parametrize("late", [timedelta(days=14), timedelta(days=400)])
def test_an_ended_invitation_is_refused_and_names_whom_to_ask(
    late: timedelta, cohort_id: int, now: datetime
) -> None:
    inviter = people.holder(Role.OPERATOR, now, name="Mirre Halloran")
    secret = people.invite(cohort_id, now, by=inviter.actor)

    with refused("invitation_expired") as refusal:
        admit.sign_up(secret=secret, password=people.PASSWORD, now=now + late)
    assert refusal.value.sentence == "This invitation ended on 16 Mar. Ask Mirre Halloran for a new one."


def test_an_invitation_taken_back_is_refused(cohort_id: int, now: datetime) -> None:
    made = invitations.create(cohort_id=cohort_id, email="ada@example.org", by=HOUSE, now=now)
    for _ in range(2):
        invitations.revoke(invitation=made.public_id, by=HOUSE, now=now)

    with refused("invitation_revoked") as refusal:
        admit.sign_up(secret=made.link.removeprefix("/invitation/"), password=people.PASSWORD, now=now)
    assert "the people of Early Light" in refusal.value.sentence
    assert AuditEvent.objects.filter(action="invitation.revoked").count() == 1


def test_what_has_been_used_cannot_be_taken_back(cohort_id: int, now: datetime) -> None:
    made = invitations.create(cohort_id=cohort_id, email="ada@example.org", by=HOUSE, now=now)
    admit.sign_up(secret=made.link.removeprefix("/invitation/"), password=people.PASSWORD, now=now)

    with refused("invitation_used"):
        invitations.revoke(invitation=made.public_id, by=HOUSE, now=now)


def test_an_unknown_secret_is_refused_whatever_it_looks_like(cohort_id: int, now: datetime) -> None:
    real = bearer.parse(people.invite(cohort_id, now))
    assert real is not None
    forged = [replace(real, secret="0" * 32), replace(real, kind="art"), bearer.make("inv")]

    for secret in ["", "x", *(forgery.text for forgery in forged)]:
        with refused("invitation_unknown"):
            invitations.look_up(secret, now)
        with refused("invitation_unknown"):
            admit.sign_up(secret=secret, password=people.PASSWORD, now=now)


def test_an_address_with_an_account_is_told_to_sign_in(cohort_id: int, now: datetime) -> None:
    people.account(now, email="ada@example.org")
    secret = people.invite(cohort_id, now, email="Ada@Example.org")

    with refused("account_exists") as refusal:
        admit.sign_up(secret=secret, password=people.PASSWORD, now=now)
    assert "Sign in" in refusal.value.sentence


def test_a_weak_password_leaves_the_invitation_open(cohort_id: int, now: datetime) -> None:
    secret = people.invite(cohort_id, now)

    with refused("weak_password"):
        admit.sign_up(secret=secret, password="12345", now=now)
    assert admit.sign_up(secret=secret, password=people.PASSWORD, now=now)


@pytest.mark.parametrize("state", ["active", "suspended", "ended"])
def test_a_member_cannot_join_again_and_the_invitation_stays_open(
    state: str, cohort_id: int, now: datetime
) -> None:
    caller = people.artist(cohort_id, now, state=state)
    secret = people.invite(cohort_id, now)

    with refused("already_a_member"):
        invitations.accept(secret=secret, user_id=caller.user_id, by=caller.actor, now=now)
    assert invitations.look_up(secret, now).daily_seconds == 120


def test_a_person_can_be_in_two_programmes(cohort_id: int, now: datetime) -> None:
    caller = people.artist(cohort_id, now)
    elsewhere = people.cohort(people.programme(now).id, now)
    later = now + timedelta(hours=1)

    invitations.accept(
        secret=people.invite(elsewhere, now), user_id=caller.user_id, by=caller.actor, now=later
    )

    found = queries.memberships_of(caller.user_id)
    assert [member.cohort_id for member in found] == [elsewhere, cohort_id]
    assert len({member.programme.id for member in found}) == 2


def test_a_member_is_not_invited_again(cohort_id: int, now: datetime) -> None:
    caller = people.artist(cohort_id, now)

    with refused("already_a_member"):
        invitations.create(cohort_id=cohort_id, email=caller.email.upper(), by=HOUSE, now=now)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": "nobody"}, "bad_email"),
        ({"days": 0}, "bad_days"),
        ({"days": 91}, "bad_days"),
        ({"cohort_id": 0}, "not_found"),
    ],
)
def test_a_refused_invitation_mails_nothing(
    changes: dict[str, object], code: str, cohort_id: int, now: datetime
) -> None:
    asked = {"cohort_id": cohort_id, "email": "ada@example.org", "by": HOUSE, "now": now} | changes

    with refused(code):
        invitations.create(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"accepted_at": datetime(2026, 3, 3)},  # noqa: DTZ001 - the constraint is asked, not the clock
        {"expires_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - likewise
    ],
)
@pytest.mark.filterwarnings("ignore:DateTimeField")
def test_the_table_refuses_an_invitation_that_makes_no_sense(
    change: dict[str, datetime], cohort_id: int, now: datetime
) -> None:
    people.invite(cohort_id, now)

    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.update(**change)


def join(secret: str, user_id: int, now: datetime) -> int:
    return invitations.accept(secret=secret, user_id=user_id, by=people.actor_of(user_id), now=now)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_it_at_once_one_joins(now: datetime) -> None:
    cohort_id = people.cohort(people.programme(now).id, now)
    for _ in range(5):
        secret = people.invite(cohort_id, now)
        rivals = [people.account(now), people.account(now)]
        before = Membership.objects.count()

        outcome = at_once(*(partial(join, secret, user_id, now) for user_id in rivals))

        assert sorted(type(result).__name__ for result in outcome) == ["WrongState", "int"]
        loser = next(result for result in outcome if isinstance(result, WrongState))
        assert loser.code == "invitation_used"
        assert Membership.objects.count() == before + 1
        (row,) = queries.invitations(queries.programme().id)[:1]  # type: ignore[union-attr]
        assert row.accepted_at == now


@pytest.mark.django_db(transaction=True)
def test_somebody_with_two_invitations_joins_once(now: datetime) -> None:
    cohort_id = people.cohort(people.programme(now).id, now)
    user_id = people.account(now)
    secrets = [people.invite(cohort_id, now), people.invite(cohort_id, now)]

    outcome = at_once(*(partial(join, secret, user_id, now) for secret in secrets))

    assert sorted(type(result).__name__ for result in outcome) == ["WrongState", "int"]
    assert Membership.objects.filter(user_id=user_id).count() == 1
    assert Invitation.objects.filter(accepted_by_id=user_id).count() == 1


def test_the_table_refuses_a_cohort_of_another_programme(now: datetime) -> None:
    caller = people.artist(people.cohort(people.programme(now).id, now), now)
    elsewhere = people.cohort(people.programme(now).id, now)

    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(user_id=caller.user_id).update(cohort_id=elsewhere)


def test_moves_of_a_membership_count_from_the_next_request(cohort_id: int, now: datetime) -> None:
    caller = people.artist(cohort_id, now)
    member = caller.membership
    assert member is not None

    def state() -> str:
        seen: Caller = gate.caller_for_user(caller.user_id)
        assert seen.membership is not None
        return seen.membership.state.value

    memberships.suspend(membership_id=member.id, by=HOUSE, now=now, reason="a leak")
    assert state() == "suspended"
    memberships.reinstate(membership_id=member.id, by=HOUSE, now=now)
    assert state() == "active"
    memberships.end(membership_id=member.id, by=HOUSE, now=now)
    assert state() == "ended"
    for move in (memberships.suspend, memberships.reinstate, memberships.end):
        with refused("wrong_state"):
            move(membership_id=member.id, by=HOUSE, now=now)
        with refused("not_found"):
            move(membership_id=0, by=HOUSE, now=now)
    events = AuditEvent.objects.filter(target=member.public_id).order_by("seq")
    assert [event.action for event in events] == [
        "membership.created",
        "terms.accepted",
        "membership.suspended",
        "membership.reinstated",
        "membership.ended",
    ]
    assert events[2].data == {"from": "active", "reason": "a leak"}

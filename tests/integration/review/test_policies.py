from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from audit.models import AuditEvent
from core.actors import system
from core.errors import DomainError, Invalid, NotFound
from programme.queries import ProgrammeView
from review import queries
from review.services import policies
from review.services.policies import Reason
from tests.factories.review import POLICY, REASONS, everything, put_policy

pytestmark = pytest.mark.django_db


def test_versions_count_up_and_the_last_one_binds(programme: ProgrammeView, now: datetime) -> None:
    assert queries.current_policy(programme.id) is None

    assert [put_policy(programme.id, now) for _ in range(2)] == [1, 2]

    policy = queries.current_policy(programme.id)
    assert policy is not None
    assert (policy.number, policy.text, policy.published_at) == (2, POLICY, now)
    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.target) == ("policy.published", programme.public_id)
    assert event.data == {"number": 2, "reasons": ["P1", "P2", "S1"], "never": ["N1", "N2"]}


@pytest.mark.parametrize(
    ("text", "reasons", "field"),
    [
        (" ", REASONS, "text"),
        (POLICY, (), "reasons"),
        (POLICY, REASONS[3:], "reasons"),
        (POLICY, (*REASONS, REASONS[0]), "reasons"),
        (POLICY, (*REASONS, replace(REASONS[0], code="p3")), "reasons"),
        (POLICY, (*REASONS, replace(REASONS[0], code="P3", explanation=" ")), "reasons"),
    ],
)
def test_refuses_a_policy_that_nobody_could_decide_by(
    programme: ProgrammeView, now: datetime, text: str, reasons: Sequence[Reason], field: str
) -> None:
    refused = _refused(programme.id, text, reasons, now)

    assert isinstance(refused, Invalid)
    assert set(refused.fields) == {field}


def test_refuses_an_unknown_programme(programme: ProgrammeView, now: datetime) -> None:
    assert isinstance(_refused(programme.id + 1, POLICY, REASONS, now), NotFound)


def _refused(programme_id: int, text: str, reasons: Sequence[Reason], now: datetime) -> DomainError:
    before = everything()
    with pytest.raises(DomainError) as refused:
        policies.publish(programme_id=programme_id, text=text, reasons=reasons, by=system("test"), now=now)
    assert everything() == before
    return refused.value

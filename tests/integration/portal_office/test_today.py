"""The office's first page: what waits for somebody, and what waits because a worker is missing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from access.caller import Caller
from generation.models import Master
from generation.services.copies import LEASE, claim_next
from tests.factories.copies import waiting
from tests.factories.generation import completed_video
from tests.integration.portal_office.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("minutes", "said"), [(5, False), (15, True)])
def test_says_that_nobody_makes_copies_once_one_has_waited_for_long(
    artist: Caller, operator: Caller, sign_in: SignIn, now: datetime, minutes: int, said: bool
) -> None:
    master = Master.objects.get(video__public_id=completed_video(artist, now))
    for name in ("one", "two"):
        waiting(master, f"user:{name}", now - timedelta(minutes=minutes))
    office = sign_in(operator)

    def told() -> bool:
        return "Start one that takes “copies”" in office.get("/office").content.decode()

    assert told() is said
    Master.objects.update(source_key="frames.sealed", source_sha256="0" * 64, source_bytes=1)
    assert claim_next(now=now) is not None
    assert told() is False, "somebody is at it"
    assert timedelta(minutes=10) > LEASE, "a worker that was lost is not at it for long"

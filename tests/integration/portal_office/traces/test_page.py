"""What the page of an open trace asks for again and again: how far it is, and nothing that somebody may hold."""

from __future__ import annotations

import io
from datetime import datetime

import pytest

from access.caller import Caller
from generation.services import traces
from programme.queries import ProgrammeView
from tests.integration.portal_office.conftest import SignIn

pytestmark = pytest.mark.django_db(transaction=True)
NOT_SWAPPED = ("<form", "SHA-256", 'role="status"', "<button")


@pytest.fixture
def address(operator: Caller, artist: Caller, programme: ProgrammeView, now: datetime) -> str:
    file = io.BytesIO(b"a file that nobody looks into here")
    trace = traces.ask(caller=operator, programme=programme, file=file, name="leak.mp4", now=now)
    return f"/office/traces/{trace}"


def test_the_answer_is_the_progress_alone(
    operator: Caller, address: str, sign_in: SignIn, now: datetime
) -> None:
    browser = sign_in(operator)
    answer = browser.get(f"{address}/answer?shown=waiting").content.decode()
    assert "It begins as soon as" in answer
    assert 'hx-trigger="every 1s"' in answer
    assert not [part for part in NOT_SWAPPED if part in answer]
    whole = browser.get(address).content.decode()
    assert all(part in whole for part in NOT_SWAPPED)
    assert whole.count('role="status"') == 1


def test_a_state_is_put_in_place_once_and_the_end_brings_the_whole_page(
    operator: Caller, address: str, sign_in: SignIn, now: datetime
) -> None:
    browser = sign_in(operator)
    job = traces.claim_next(now=now)
    assert job is not None
    traces.tell(job=job, done=1, total=3, stage="its frames")

    changed = browser.get(f"{address}/answer?shown=waiting")
    assert 'hx-swap-oob="innerHTML:#state"' in changed.content.decode()
    assert "?shown=running" in changed.content.decode()
    known = browser.get(f"{address}/answer?shown=running")
    assert "Step 2 of 3: its frames." in known.content.decode()
    assert "hx-swap-oob" not in known.content.decode()
    assert "HX-Refresh" not in {*changed.headers, *known.headers}

    traces.refuse(job=job, sentence="It is no video.", now=now)
    ended = browser.get(f"{address}/answer?shown=running")
    assert (ended.headers["HX-Refresh"], ended.content) == ("true", b"")
    whole = browser.get(address).content.decode()
    assert "It is no video." in whole
    assert "hx-get" not in whole

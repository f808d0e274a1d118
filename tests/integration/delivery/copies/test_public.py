"""An approval shows the public copy as its artist wishes it, and waits where that is not there."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import partial

import pytest

from access.caller import Caller
from core.errors import WrongState
from delivery import serve
from generation.models import Copy
from generation.services import files
from generation.states import CopyState, Purpose
from generation.worker import copies as copying
from programme.services import memberships
from review.models import GrantedRendition, ReleaseGrant
from tests.factories.review import asked, claimed, decided
from tests.integration.delivery.copies.conftest import body, factory, whose

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = ("mp4", "poster", "sprite", "vtt", "sheet")


def test_approval_shows_the_public_copy_and_its_grant_lists_the_signed_files(
    artist: Caller, reviewer: Caller, made: str, now: datetime
) -> None:
    case = asked(artist, now, video=made)
    copying.drain()
    decided(case, "approve", reviewer, now)
    share = ReleaseGrant.objects.get()
    listed = {row.rendition.kind: row for row in GrantedRendition.objects.select_related("rendition__mark")}
    assert set(listed) == {"mp4", "poster"}
    for kind, row in listed.items():
        content = body(serve.public_file(share.public_id, kind, factory.get("/"), now=now))
        assert whose(content) == ("public", "everybody")
        assert hashlib.sha256(content).hexdigest() == row.sha256


def test_approval_waits_for_the_public_copy_and_nothing_is_half_done(
    artist: Caller, reviewer: Caller, made: str, now: datetime
) -> None:
    case = asked(artist, now, video=made)
    with pytest.raises(WrongState) as refusal:
        decided(case, "approve", reviewer, now)
    assert refusal.value.code == "copy_not_ready"
    assert not ReleaseGrant.objects.exists()
    copying.drain()
    decided(case, "approve", reviewer, now)
    assert ReleaseGrant.objects.count() == 1


def test_approval_asks_again_for_a_public_copy_that_could_not_be_made(
    artist: Caller, reviewer: Caller, made: str, now: datetime
) -> None:
    case = asked(artist, now, video=made)
    claimed(reviewer, now)
    rested = now + timedelta(minutes=3)
    public = Copy.objects.filter(purpose=Purpose.PUBLIC)
    public.update(state=CopyState.FAILED, error="no time stamp came", retry_at=rested)
    with pytest.raises(WrongState, match=r"could not be made.* in 3 minutes") as refusal:
        decided(case, "approve", reviewer, now)
    assert refusal.value.code == "copy_not_ready"
    assert public.get().state == CopyState.FAILED, "it rests"
    with pytest.raises(WrongState, match="is still being made"):
        decided(case, "approve", reviewer, rested)
    copying.drain()
    decided(case, "approve", reviewer, rested)
    assert ReleaseGrant.objects.count() == 1


def test_nothing_is_shown_that_names_its_artist_against_their_wish_of_that_moment(
    artist: Caller, reviewer: Caller, made: str, now: datetime
) -> None:
    assert artist.membership is not None
    wish = partial(memberships.credit, membership_id=artist.membership.id, by=artist.actor, now=now)
    wish(credited=True)
    case = asked(artist, now, video=made)
    copying.drain()
    claimed(reviewer, now)
    wish(credited=False)
    with pytest.raises(WrongState) as refusal:
        decided(case, "approve", reviewer, now)
    assert refusal.value.code == "copy_not_ready"
    copying.drain()
    decided(case, "approve", reviewer, now)
    (file, _) = GrantedRendition.objects.order_by("rendition__kind")
    content = files.store().path(file.rendition.storage_key).read_bytes()
    assert artist.public_name.encode() not in content


def test_a_refusal_needs_no_public_copy(artist: Caller, reviewer: Caller, made: str, now: datetime) -> None:
    decided(asked(artist, now, video=made), "refuse", reviewer, now)

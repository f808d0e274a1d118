from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from access.caller import Caller
from audit.models import AuditEvent, OutboxEvent
from core.errors import DomainError, Invalid, NotAllowed, NotFound, WrongState
from generation import queries as generation
from generation.models import Master, Rendition
from generation.services import files
from review.models import Decision, GrantedRendition, ReleaseGrant, ReviewCase
from review.services import shares
from review.states import GrantState, RevokerRole, SubmissionState
from tests.factories.generation import completed_video, queued_video
from tests.factories.review import (
    FACTS,
    TITLE,
    asked,
    asked_at,
    claimed,
    everything,
    on_view,
    share_at,
    state_of,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_an_artist_takes_a_share_back(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made, share = on_view(artist, reviewer, now)
    mails = OutboxEvent.objects.filter(topic="mail").count()

    shares.revoke(grant=share, reason="", by=artist.actor, as_role=RevokerRole.ARTIST, now=now + HOUR)

    row = ReleaseGrant.objects.get()
    assert (row.state, row.revoked_at, row.revoked_by, row.revoked_by_role, row.media_epoch) == (
        "revoked", now + HOUR, str(artist.actor), "artist", 2
    )  # fmt: skip
    event = OutboxEvent.objects.get(topic="share.revoked")
    assert event.payload == {"grant": share, "video": made.video, "by_role": "artist"}
    assert OutboxEvent.objects.filter(topic="mail").count() == mails
    last = AuditEvent.objects.latest("seq")
    assert (last.action, last.target) == ("share.revoked", share)


def test_an_operator_says_why_and_the_artist_reads_it(
    artist: Caller, reviewer: Caller, operator: Caller, now: datetime
) -> None:
    _, share = on_view(artist, reviewer, now)

    shares.revoke(grant=share, reason=FACTS, by=operator.actor, as_role=RevokerRole.OPERATOR, now=now + HOUR)

    row = ReleaseGrant.objects.get()
    assert (row.state, row.revoked_by_role, row.revoked_reason) == ("revoked", "operator", FACTS)
    mail = OutboxEvent.objects.filter(topic="mail").latest("id").payload
    assert (mail["to"], mail["subject"]) == (artist.email, f"“{TITLE}” is no longer on view")
    assert FACTS in mail["body"]
    assert "2 March 2026, 13:00 UTC" in mail["body"]


def test_only_the_artist_and_the_programmes_operators_revoke(
    artist: Caller,
    second_artist: Caller,
    reviewer: Caller,
    operator: Caller,
    operator_elsewhere: Caller,
    now: datetime,
) -> None:
    _, share = on_view(artist, reviewer, now)
    before = everything()

    refusals: list[tuple[Caller, RevokerRole, type[DomainError]]] = [
        (second_artist, RevokerRole.ARTIST, NotFound),
        (operator, RevokerRole.ARTIST, NotFound),
        (artist, RevokerRole.OPERATOR, NotAllowed),
        (reviewer, RevokerRole.OPERATOR, NotAllowed),
        (operator_elsewhere, RevokerRole.OPERATOR, NotAllowed),
    ]
    for caller, role, family in refusals:
        with pytest.raises(family):
            shares.revoke(grant=share, reason="why", by=caller.actor, as_role=role, now=now)
    assert everything() == before


def test_refuses_a_revocation_twice_without_reason_or_of_nothing(
    artist: Caller, reviewer: Caller, operator: Caller, now: datetime
) -> None:
    _, revoked = share_at(GrantState.REVOKED, artist, reviewer, now)
    _, share = on_view(artist, reviewer, now)
    before = everything()

    refusals: list[tuple[str, str, type[DomainError]]] = [
        (revoked, "why", WrongState),
        (share, " ", Invalid),
        (share, "x" * 1001, Invalid),
        (share, "\x00", Invalid),
        ("s_nothing", "why", NotFound),
    ]
    for grant, reason, family in refusals:
        with pytest.raises(family):
            shares.revoke(
                grant=grant, reason=reason, by=operator.actor, as_role=RevokerRole.OPERATOR, now=now
            )
    assert everything() == before


def test_deleting_a_shared_clip_revokes_it_and_removes_the_files(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made, share = on_view(artist, reviewer, now)
    source = Master.objects.get(video__public_id=made.video).source_key

    shares.delete_clip(video=made.video, by=artist.actor, now=now + HOUR)

    grant = ReleaseGrant.objects.get(public_id=share)
    assert (grant.state, grant.revoked_at, grant.revoked_by_role) == ("revoked", now + HOUR, "artist")
    assert set(Rendition.objects.values_list("removed_at", flat=True)) == {now + HOUR}
    clip = generation.clip(made.video)
    assert clip is not None
    assert clip.deleted_at == now + HOUR
    assert Decision.objects.count() == 1
    assert GrantedRendition.objects.count() == 2
    purge = OutboxEvent.objects.filter(topic=files.PURGE).latest("id")
    assert set(purge.payload["keys"]) == {source, *Rendition.objects.values_list("storage_key", flat=True)}
    actions = list(AuditEvent.objects.order_by("-seq").values_list("action", flat=True)[:2])
    assert actions == ["video.deleted", "share.revoked"]


@pytest.mark.parametrize("state", [SubmissionState.OPEN, SubmissionState.CHANGES_ASKED])
def test_deleting_a_clip_in_review_withdraws_it(
    artist: Caller, reviewer: Caller, now: datetime, state: SubmissionState
) -> None:
    made = asked_at(state, artist, reviewer, now)
    if state == SubmissionState.OPEN:
        claimed(reviewer, now)

    shares.delete_clip(video=made.video, by=artist.actor, now=now + HOUR)

    assert state_of(made) == SubmissionState.WITHDRAWN
    case = ReviewCase.objects.get(public_id=made.case)
    assert case.state == "withdrawn"
    assert not case.tasks.filter(state__in=["queued", "leased"]).exists()


def test_deletes_a_clip_that_was_never_shared_and_one_that_still_renders(
    artist: Caller, now: datetime
) -> None:
    for video in (completed_video(artist, now), queued_video(artist, now)):
        shares.delete_clip(video=video, by=artist.actor, now=now)
        clip = generation.clip(video)
        assert clip is not None
        assert clip.deleted_at == now


def test_only_the_artist_deletes_a_clip_and_only_once(
    artist: Caller, second_artist: Caller, reviewer: Caller, operator: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    gone = completed_video(artist, now)
    shares.delete_clip(video=gone, by=artist.actor, now=now)
    before = everything()

    for video, caller in (
        (made.video, second_artist),
        (made.video, reviewer),
        (made.video, operator),
        (gone, artist),
        ("video_nothing", artist),
    ):
        with pytest.raises(NotFound):
            shares.delete_clip(video=video, by=caller.actor, now=now)
    assert everything() == before


def test_a_letter_tells_its_time_in_utc_whatever_zone_the_page_is_in(
    artist: Caller, reviewer: Caller, operator: Caller, now: datetime
) -> None:
    _, share = on_view(artist, reviewer, now)

    with timezone.override(ZoneInfo("Asia/Tokyo")):
        shares.revoke(
            grant=share, reason=FACTS, by=operator.actor, as_role=RevokerRole.OPERATOR, now=now + HOUR
        )

    assert "13:00 UTC" in OutboxEvent.objects.filter(topic="mail").latest("id").payload["body"]

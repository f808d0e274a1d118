"""Taking a share back, and deleting a clip that may be shared or in review."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import F

from audit import log, mail, outbox
from core.actors import Actor
from core.errors import Invalid, NotFound
from core.states import check
from generation import queries as generation
from generation.services import clips
from review.models import ReleaseGrant, Submission
from review.rules import LONGEST_REASON, REVIEW_HOURS, text_fault, tidy
from review.services.reviewers import check_revokes
from review.services.submissions import close_as_withdrawn
from review.states import GRANT, UNDECIDED, GrantState, RevokerRole

_RELATED = ("video", "submission__membership__user", "submission__membership__programme")


def revoke(*, grant: str, reason: str, by: Actor, as_role: RevokerRole, now: datetime) -> None:
    """End a share; from the commit on, its public addresses answer 410. It is never taken up again.

    The artist may give a reason; an operator must, and the artist gets it by mail. Raises NotFound for a share
    that is not the actor's, NotAllowed for somebody who is no operator, Invalid, WrongState when it is not active.
    """
    with log.transaction() as events:
        rows = ReleaseGrant.objects.select_related("video", "submission__membership__user").filter(
            public_id=grant
        )
        found = rows.first()
        own = found is not None and found.submission.membership.user_id == by.user_id
        if found is None or (as_role == RevokerRole.ARTIST and not own):
            raise NotFound("not_found", "There is no such share.")
        if as_role == RevokerRole.OPERATOR:
            check_revokes(by, found.submission.membership.programme.public_id)
        text = _check_reason(reason, as_role)
        clips.hold(video_id=found.video_id)
        _revoke(rows.get(), text, by=by, as_role=as_role, now=now, events=events)


def delete_clip(*, video: str, by: Actor, now: datetime) -> None:
    """Delete one's own clip: withdraw it from review, revoke its share, remove the files, in one transaction.

    Rows, digests and decisions stay. Raises NotFound for a clip that is not the actor's or is deleted already.
    """
    with log.transaction() as events:
        clip = generation.clip(video)
        if clip is None or clip.deleted_at is not None or by.user_id is None or clip.artist_id != by.user_id:
            raise NotFound("not_found", "There is no such clip.")
        clips.hold(video_id=clip.id)
        for row in Submission.objects.select_related("video", "case").filter(
            video_id=clip.id, state__in=UNDECIDED
        ):
            close_as_withdrawn(row, by=by, now=now, events=events)
        grants = ReleaseGrant.objects.select_related(*_RELATED)
        for grant in grants.filter(video_id=clip.id, state=GrantState.ACTIVE):
            _revoke(grant, "", by=by, as_role=RevokerRole.ARTIST, now=now, events=events)
        clips.delete(video=video, by=by, now=now)


def _check_reason(reason: str, as_role: RevokerRole) -> str:
    text = tidy(reason)
    fault = text_fault(text, name="A reason", longest=LONGEST_REASON)
    if as_role == RevokerRole.OPERATOR and not text:
        fault = "Write why: the artist reads it word for word."
    if fault:
        raise Invalid("invalid_request", fault, fields={"reason": fault})
    return text


def _revoke(
    row: ReleaseGrant, reason: str, *, by: Actor, as_role: RevokerRole, now: datetime, events: log.Log
) -> None:
    check(GRANT, GrantState(row.state), GrantState.REVOKED, sentence="This is not on view any more.")
    ReleaseGrant.objects.filter(pk=row.pk, state=GrantState.ACTIVE).update(
        state=GrantState.REVOKED,
        revoked_at=now,
        revoked_by=str(by),
        revoked_by_role=as_role,
        revoked_reason=reason,
        media_epoch=F("media_epoch") + 1,
    )
    share = {"grant": row.public_id, "video": row.video.public_id, "by_role": as_role.value}
    outbox.add(topic="share.revoked", payload=share, now=now)
    if as_role == RevokerRole.OPERATOR:
        artist = row.submission.membership.user
        mail.post(
            to=artist.email,
            template="revoked",
            context={
                "artist": artist.public_name,
                "title": row.submission.title,
                "reason": reason,
                "at": now,
                "review_hours": REVIEW_HOURS,
                "base_url": settings.BASE_URL,
            },
            now=now,
        )
    events.record(
        action="share.revoked", actor=by, target=row.public_id, now=now, data={**share, "reason": reason}
    )

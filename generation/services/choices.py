"""What an artist keeps and puts aside. It changes nothing for anybody else, so the audit log has none of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from core.actors import Actor
from core.errors import NotFound, WrongState
from generation.models import Master, Video
from generation.services import copies
from generation.states import OPEN, VideoState


def star(*, video: str, membership_id: int, by: Actor, now: datetime) -> None:
    """Keep a clip that has rendered; one that was discarded comes back. A second star changes nothing.

    Raises NotFound for anybody else's clip and for a deleted one, WrongState (not_completed).
    """
    with transaction.atomic():
        row = _own(video, membership_id)
        if row.state != VideoState.COMPLETED:
            sentence = f"This clip is {row.get_state_display()}. A star goes to one that has rendered."
            raise WrongState("not_completed", sentence)
        row.starred_at, row.discarded_at = row.starred_at or now, None
        _save(row)
        # What is kept is what others will be shown: whoever asks first should not wait for a copy.
        copies.prepare(master=Master.objects.values_list("pk", flat=True).get(video=row), now=now)


def unstar(*, video: str, membership_id: int, by: Actor, now: datetime) -> None:
    """Take the star back, if there is one. Raises NotFound."""
    with transaction.atomic():
        row = _own(video, membership_id)
        row.starred_at = None
        _save(row)


def discard(*, video: str, membership_id: int, by: Actor, now: datetime) -> None:
    """Put a clip aside, off the wall; its star goes. Nothing is deleted. Raises NotFound, WrongState (not_ended)."""
    with transaction.atomic():
        row = _own(video, membership_id)
        if row.state in OPEN:
            sentence = f"This clip is {row.get_state_display()}. Stop it, or wait until it is done."
            raise WrongState("not_ended", sentence)
        row.starred_at, row.discarded_at = None, row.discarded_at or now
        _save(row)


def restore(*, video: str, membership_id: int, by: Actor, now: datetime) -> None:
    """Hang a clip that was discarded on the wall again, without the star that it may have had. Raises NotFound."""
    with transaction.atomic():
        row = _own(video, membership_id)
        row.discarded_at = None
        _save(row)


def _own(video: str, membership_id: int) -> Video:
    rows = Video.objects.select_for_update(no_key=True)
    row = rows.filter(public_id=video, membership_id=membership_id, deleted_at=None).first()
    if row is None:
        raise NotFound("not_found", "There is no such clip.")
    return row


def _save(row: Video) -> None:
    row.save(update_fields=["starred_at", "discarded_at"])

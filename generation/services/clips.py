"""Deleting a clip: the files go, the rows, hashes and decisions stay."""

from __future__ import annotations

from datetime import datetime

from audit import log, outbox
from core.actors import Actor
from core.errors import NotFound
from generation.models import Master, Rendition, Video
from generation.services import copies, files
from generation.services.requests import end_as_cancelled
from generation.states import OPEN


def delete(*, video: str, by: Actor, now: datetime) -> None:
    """Remove the files of a clip for good; a render that has not ended is stopped first.

    Whether the clip is shared or in review is not this domain's to know: `review.services.shares.delete_clip`
    ends that first, in the same transaction.
    """
    with log.transaction() as events:
        row = Video.objects.select_for_update().filter(public_id=video, deleted_at=None).first()
        if row is None:
            raise NotFound("not_found", "There is no such clip.")
        if row.state in OPEN:
            end_as_cancelled(row, now=now)
        row.deleted_at = now
        row.save(update_fields=["deleted_at"])
        # Locked before its copies, as whoever orders one does: nothing more is ordered, and what is finished meanwhile
        # is among the renditions then.
        master = Master.objects.select_for_update(no_key=True).filter(video=row).first()
        if master is not None:
            copies.cancel(master=master.pk, video=video, now=now)
        renditions = Rendition.objects.filter(master__video=row, removed_at=None)
        keys = list(renditions.values_list("storage_key", flat=True))
        renditions.update(removed_at=now)
        sources = Master.objects.filter(video=row).exclude(source_key="")
        keys += sources.values_list("source_key", flat=True)
        sources.update(source_key="")
        if keys:
            outbox.add(topic=files.PURGE, payload={"keys": keys}, now=now)
        events.record(action="video.deleted", actor=by, target=video, now=now, data={"files": len(keys)})


def hold(*, video_id: int) -> None:
    """Lock a clip's row until the transaction ends: what is decided about one clip happens one after the other.

    Take it before any lock on rows that point to the clip.
    """
    Video.objects.select_for_update(no_key=True).filter(pk=video_id).values_list("pk").first()

"""What a copy is made from: the native frames of its own clip, sealed, and no others."""

from __future__ import annotations

import hashlib
from datetime import datetime
from importlib import import_module
from pathlib import Path

import pytest
from django.db import connection

from access.caller import Caller
from audit import outbox
from core import clock
from core.errors import WrongState
from generation.models import Master
from generation.services import files, references
from generation.states import CopyState
from generation.worker import copies as copying
from generation.worker import run
from tests.factories.copies import order
from tests.factories.generation import queued_video

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_copy_is_not_made_from_another_clips_frames(artist: Caller, master: Master, now: datetime) -> None:
    """Both were sealed here: that they open says nothing of whose they are."""
    other = queued_video(artist, now, seconds=2, size="640x360", seed=9)
    assert run.drain("turbo") == 1
    theirs = files.store().path(Master.objects.get(video__public_id=other).source_key)
    files.store().path(master.source_key).write_bytes(theirs.read_bytes())
    one = order(master)
    copying.drain()
    one.refresh_from_db()
    assert one.state == CopyState.WAITING
    assert "or is another file" in one.error


def test_frames_that_lie_unsealed_in_the_store_are_refused(
    artist: Caller, master: Master, now: datetime, tmp_path: Path
) -> None:
    body = b"\x1aE\xdf\xa3 a Matroska file"
    (tmp_path / "source.mkv").write_bytes(body)
    key = f"{master.video.public_id}/source.mkv"
    files.store().put(tmp_path / "source.mkv", key=key)
    Master.objects.update(source_key=key, source_sha256=hashlib.sha256(body).hexdigest())
    one = order(master)
    copying.drain()
    one.refresh_from_db()
    assert "was not sealed here" in one.error

    # What an upgrade does with those that were kept before there were marks.
    with connection.cursor() as cursor:
        cursor.execute(import_module("generation.migrations.0017_who_gets_a_copy").UNSEALED)
    outbox.deliver_due(now=clock.now())
    master.refresh_from_db()
    assert (master.source_key, files.store().exists(key)) == ("", False)
    with pytest.raises(WrongState, match="were not kept"):
        references.last_of(caller=artist, video=master.video.public_id, now=now)

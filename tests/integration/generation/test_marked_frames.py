"""A frame that an artist keeps of a clip is a copy of it like any other: with their number, and signed."""

from __future__ import annotations

from datetime import datetime

import pytest

from access.caller import Caller
from core.actors import system
from generation.credentials.reader import read
from generation.models import Mark, Reference
from generation.services import files, references, tracing
from generation.worker import run, stills
from tests.factories.generation import queued_video
from tests.rig import environment

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_frame_carries_its_artists_number_and_is_signed(artist: Caller, now: datetime) -> None:
    video = queued_video(artist, now, seconds=2, size="640x360")
    assert run.drain("turbo") == 1
    frame = references.last_of(caller=artist, video=video, now=now)
    assert stills.drain() == 1

    path = files.store().path(Reference.objects.get(public_id=frame).storage_key)

    found = read(path, (environment.folder / "root.pem").read_bytes())
    assert (found.state, found.failures) == ("trusted", ())
    assert found.claims is not None
    assert len(found.claims.soft_bindings) == 1
    answer = tracing.trace(path, by=system("test"), now=now)
    mark = Mark.objects.get(master__video__public_id=video)
    assert [(named.number, copy.purpose) for named, copy in answer.copies] == [(mark.number, "master")]

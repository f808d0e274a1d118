"""What several tests of renders and copies begin with."""

from __future__ import annotations

from datetime import datetime

import pytest

from access.caller import Caller
from generation.models import Master
from generation.worker import run
from tests.factories.generation import queued_video


@pytest.fixture
def master(artist: Caller, now: datetime) -> Master:
    """Of a rendered clip."""
    video = queued_video(artist, now, seconds=2, size="640x360")
    assert run.drain("turbo") == 1
    return Master.objects.get(video__public_id=video)

"""Frames of own clips as pictures to start from: the native ones, bit for bit, for renders; marked, for eyes."""

from __future__ import annotations

import io
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image

from access.caller import Caller
from audit import outbox
from core.errors import Invalid, NotFound, WrongState
from generation.errors import SpecRejected
from generation.models import Mark, Master, Reference
from generation.queries import references as reading
from generation.services import clips, files, references
from generation.states import Purpose, VideoState
from generation.worker import stills
from tests.factories.generation import video_at
from tests.factories.looks import film, filmed, member_of, native, picture, pixels, refused, stored, unchanged

pytestmark = pytest.mark.django_db


def upload(caller: Caller, now: datetime, seed: int = 0) -> str:
    return references.upload(caller=caller, picture=picture(seed=seed), now=now)


def test_a_frame_of_a_clip_is_the_native_one_bit_for_bit(artist: Caller, now: datetime) -> None:
    frames = film(16)
    video = filmed(artist, now, frames=frames, seconds=4)  # 96 frames shown

    for second, index in [(0, 0), (95 / 24, 15), (4, 15), (2, 8), (1, 4), (0.1, 0)]:
        reference = references.from_clip(caller=artist, video=video, second=second, now=now)
        assert np.array_equal(native(reference, artist), frames[index])
        assert not np.array_equal(pixels(stored(reference, artist)), frames[index])
        view = reading.own_reference(reference, member_of(artist).id)
        assert view is not None
        assert (view.source, view.frame) == (video, index)


def test_the_last_frame_is_what_a_clip_goes_on_from_and_the_same_frame_is_kept_once(
    artist: Caller, now: datetime
) -> None:
    frames = film(16)
    video = filmed(artist, now, frames=frames)

    last = references.last_of(caller=artist, video=video, now=now)

    assert np.array_equal(native(last, artist), frames[-1])
    with unchanged():
        assert references.from_clip(caller=artist, video=video, second=4, now=now) == last
        assert references.last_of(caller=artist, video=video, now=now) == last


@pytest.mark.parametrize("second", [-0.01, 4.01, float("nan"), float("inf"), -float("inf")])
def test_refuses_a_second_that_the_clip_does_not_have(artist: Caller, now: datetime, second: float) -> None:
    video = filmed(artist, now)

    refusal = refused(
        lambda: references.from_clip(caller=artist, video=video, second=second, now=now),
        Invalid,
        "invalid_second",
    )

    assert "from 0 to 4" in refusal.sentence


@pytest.mark.parametrize("state", [state for state in VideoState if state != VideoState.COMPLETED])
def test_refuses_frames_of_a_clip_that_is_not_finished(
    artist: Caller, programme: object, now: datetime, state: VideoState
) -> None:
    video = video_at(state, artist, now)

    refused(lambda: references.last_of(caller=artist, video=video, now=now), WrongState, "not_completed")


def test_refuses_frames_that_were_not_kept(artist: Caller, now: datetime) -> None:
    never = filmed(artist, now)
    Master.objects.filter(video__public_id=never).update(source_key="")

    refused(partial(references.last_of, caller=artist, video=never, now=now), WrongState, "no_frames")


def test_nothing_starts_from_frames_that_are_gone_or_not_those_that_were_stored(
    artist: Caller, now: datetime
) -> None:
    """A render says so; the picture is not tried again, and never shown."""
    damaged, gone, deleted = (filmed(artist, now) for _ in range(3))
    pictures = [references.last_of(caller=artist, video=video, now=now) for video in (damaged, gone, deleted)]
    clips.delete(video=deleted, by=artist.actor, now=now)
    key = Master.objects.get(video__public_id=damaged).source_key
    body = bytearray(files.store().path(key).read_bytes())
    body[-2000] ^= 0xFF
    files.store().path(key).write_bytes(body)
    files.store().delete(Master.objects.get(video__public_id=gone).source_key)

    for picture_id in pictures:
        with pytest.raises(SpecRejected) as refusal:
            native(picture_id, artist)
        assert refusal.value.code == "file_gone"
    assert stills.drain() == 0, "none of them is tried again"
    assert not Reference.objects.filter(made_at__isnull=False).exists()


def test_nothing_starts_from_another_clips_frames(artist: Caller, now: datetime) -> None:
    """Both were sealed here: that they open says nothing of whose they are."""
    mine, theirs = filmed(artist, now), filmed(artist, now)
    first, second = (
        files.store().path(Master.objects.get(video__public_id=video).source_key) for video in (mine, theirs)
    )
    first.write_bytes(second.read_bytes())
    reference = references.last_of(caller=artist, video=mine, now=now)
    with pytest.raises(SpecRejected):
        native(reference, artist)


def test_the_other_pictures_are_made_where_the_key_of_one_is_gone(artist: Caller, now: datetime) -> None:
    keyless, other = filmed(artist, now), filmed(artist, now)
    Mark.objects.create(
        number=7,
        codeword=bytes(8),
        master=Master.objects.get(video__public_id=keyless),
        purpose=Purpose.MASTER,
        recipient=str(artist.actor),
        key_epoch="2026-01.m9",
        made_at=now,
    )
    waiting, made = (references.last_of(caller=artist, video=video, now=now) for video in (keyless, other))

    assert stills.drain() == 2

    unmade = Reference.objects.filter(made_at=None).values_list("public_id", "tries")
    assert list(unmade) == [(waiting, 0)], "another worker may have that key"
    assert stored(made, artist)
    assert stills.drain() == 0, "not at once"


def test_a_worker_without_keys_uses_up_no_try(artist: Caller, now: datetime, settings: Any) -> None:
    reference = references.last_of(caller=artist, video=filmed(artist, now), now=now)
    with_keys, settings.MARK_KEYS = settings.MARK_KEYS, ""
    assert stills.drain() == 0
    settings.MARK_KEYS = with_keys
    assert stills.drain() == 1
    assert stored(reference, artist)


def test_takes_no_frame_of_a_clip_that_is_foreign_deleted_or_never_was(
    artist: Caller, other_artist: Caller, now: datetime
) -> None:
    foreign, deleted = filmed(other_artist, now), filmed(artist, now)
    clips.delete(video=deleted, by=artist.actor, now=now)

    for video in (foreign, deleted, "video_neverwas"):
        refused(partial(references.last_of, caller=artist, video=video, now=now), NotFound, "not_found")


def test_an_old_clips_picture_stays_when_the_clip_is_deleted(artist: Caller, now: datetime) -> None:
    """It was kept on purpose, and is the artist's like the clip was."""
    video = filmed(artist, now)
    reference = references.last_of(caller=artist, video=video, now=now)
    assert stills.drain() == 1

    clips.delete(video=video, by=artist.actor, now=now)
    outbox.deliver_due(now=now)

    with Image.open(io.BytesIO(stored(reference, artist))) as opened:
        assert opened.size == (160, 96)

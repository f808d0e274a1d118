"""What a clip keeps of the one that it comes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from access.caller import Caller
from core.actors import system
from core.errors import Invalid, OverQuota, WrongState
from generation import queries
from generation.models import Attempt, Master, ModelVariant, Reference, Video, Worker
from generation.queries import ClipView
from generation.services import adapters, lineage, references, styles
from generation.services.styles import StyleSpec
from programme.queries import ProgrammeView, quota_today
from tests.factories.generation import claim, completed_video, finish
from tests.factories.looks import (
    add_adapter,
    film,
    filmed,
    member_of,
    native,
    picture,
    programme_style,
    refused,
    unchanged,
)

pytestmark = pytest.mark.django_db

RISO = StyleSpec(name="Riso", template="{prompt}, risograph", negative_prompt="photograph", guidance=5.5)


@pytest.fixture(autouse=True)
def _from_pictures(programme: ProgrammeView) -> None:
    ModelVariant.objects.filter(programme_id=programme.id).update(images=True)


def _clip(video: str) -> ClipView:
    clip = queries.clip(video)
    assert clip is not None
    return clip


def _row(video: str) -> Video:
    return Video.objects.get(public_id=video)


def _kept(row: Video) -> dict[str, Any]:
    names = ("prompt", "styled_prompt", "negative_prompt", "seed", "width", "height", "seconds", "fps", "steps",
             "guidance", "style_id", "adapter_id", "adapter_weight", "reference_id", "variant_id",
             "earlier_prompt")  # fmt: skip
    return {name: getattr(row, name) for name in names}


def test_a_remix_has_other_words_and_all_else_of_its_source(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    style = programme_style(programme, RISO, now)
    start = references.upload(caller=artist, picture=picture(), now=now)
    source = completed_video(
        artist, now, seed=7, seconds=2, size="640x360", style=style, negative_prompt="text", reference=start
    )

    (made,) = lineage.remix(caller=artist, video=source, prompt="a green boat", now=now)

    row = _row(made)
    assert row.styled_prompt == "a green boat, risograph"
    assert row.negative_prompt == "photograph, text"
    changed = {"prompt", "styled_prompt", "earlier_prompt"}
    before, after = _kept(_row(source)), _kept(row)
    assert {name for name in before if before[name] != after[name]} == changed


def test_a_remix_may_leave_out_what_its_source_had(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    style = programme_style(programme, RISO, now)
    start = references.upload(caller=artist, picture=picture(), now=now)
    source = completed_video(artist, now, seed=7, style=style, negative_prompt="text", reference=start)

    made = lineage.remix(
        caller=artist, video=source, style="", reference="", negative_prompt="", seed=8, takes=2, now=now
    )

    row = _row(made[0])
    assert (row.style_id, row.reference_id, row.styled_prompt, row.negative_prompt) == (None, None, "", "")
    assert row.guidance == 2.0
    assert [_row(video).seed for video in made] == [8, 9]


def test_a_remix_whose_look_is_untouched_outlives_its_style(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    style = programme_style(programme, RISO, now)
    source = completed_video(artist, now, seed=7, style=style)
    styles.retire_for_programme(programme=programme, style=style, by=system("test"), now=now)

    (made,) = lineage.remix(caller=artist, video=source, seed=9, now=now)
    assert _row(made).styled_prompt == _row(source).styled_prompt

    refused(
        lambda: lineage.remix(caller=artist, video=source, prompt="a green boat", now=now),
        Invalid,
        "style_retired",
        "style",
    )


def test_extending_starts_from_the_last_native_frame(artist: Caller, now: datetime) -> None:
    frames = film()
    source = filmed(artist, now, frames=frames, seed=7)

    (made,) = lineage.extend(caller=artist, video=source, seconds=6, now=now)

    clip = _clip(made)
    assert (clip.prompt, clip.seed, clip.seconds) == (_clip(source).prompt, 7, 6)
    assert clip.reference is not None
    assert (native(clip.reference, artist) == frames[-1]).all()
    row = Reference.objects.get()
    assert row.source is not None
    assert (row.source.public_id, row.frame) == (source, len(frames) - 1)


def test_extending_twice_keeps_one_picture(artist: Caller, now: datetime) -> None:
    source = filmed(artist, now)

    first = lineage.extend(caller=artist, video=source, now=now)
    second = lineage.extend(caller=artist, video=source, prompt="and then it rains", now=now)

    assert _clip(first[0]).reference == _clip(second[0]).reference
    assert _clip(second[0]).prompt == "and then it rains"


def test_what_the_source_was_told_completes_what_comes_from_it(artist: Caller, now: datetime) -> None:
    source = filmed(artist, now)
    Video.objects.update(completed_prompt="a big red boat rising at sea")

    (longer,) = lineage.extend(caller=artist, video=source, prompt="it falls", now=now)
    (other,) = lineage.remix(caller=artist, video=source, prompt="a whale", now=now)
    claims = [claim(now), claim(now)]
    assert {one.earlier_prompt for one in claims} == {"a big red boat rising at sea"}
    assert {one.video for one in claims} == {longer, other}

    assert all(finish(one, now) for one in claims)
    (again,) = lineage.again(caller=artist, video=longer, now=now)
    assert _row(again).earlier_prompt == "a big red boat rising at sea"


def test_an_extension_that_is_refused_leaves_no_picture(artist: Caller, now: datetime) -> None:
    source = filmed(artist, now, seconds=12)
    while quota_today(member_of(artist).id, now).left >= 12:
        lineage.remix(caller=artist, video=source, now=now)

    with unchanged(), pytest.raises(OverQuota):
        lineage.extend(caller=artist, video=source, seconds=12, takes=2, now=now)
    with unchanged(), pytest.raises(Invalid):
        lineage.extend(caller=artist, video=source, seconds=3, now=now)
    with unchanged(), pytest.raises(Invalid):
        lineage.extend(caller=artist, video=source, style="no such style", now=now)


def test_extending_needs_a_model_that_starts_from_pictures_and_says_which_do(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    source = filmed(artist, now)
    ModelVariant.objects.filter(programme_id=programme.id, slug="turbo-1").update(images=False)

    refusal = refused(
        lambda: lineage.extend(caller=artist, video=source, now=now), Invalid, "images_unsupported", "model"
    )

    assert "full-1" in refusal.sentence
    assert lineage.extend(caller=artist, video=source, variant="full-1", now=now)


def test_a_final_is_the_chosen_take_on_the_variant_for_finals(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    ink = add_adapter(programme, now, name="Ink")
    ModelVariant.objects.filter(programme_id=programme.id).update(adapters=True)
    style = programme_style(programme, replace(RISO, adapter=ink, adapter_weight=0.8), now)
    start = references.upload(caller=artist, picture=picture(), now=now)
    source = completed_video(artist, now, seed=7, seconds=4, size="640x360", style=style, reference=start)

    (made,) = lineage.final(caller=artist, video=source, seconds=10, size="1280x720", now=now)

    before, after = _kept(_row(source)), _kept(_row(made))
    assert {name for name in before if before[name] != after[name]} == {
        "variant_id", "steps", "width", "height", "seconds",
    }  # fmt: skip
    clip = _clip(made)
    assert (clip.variant_slug, clip.steps, clip.seconds, clip.size) == ("full-1", 24, 10, "1280x720")
    assert _row(made).guidance == 5.5  # the style's
    (plain,) = lineage.final(caller=artist, video=source, now=now)
    assert (_clip(plain).seconds, _clip(plain).size) == (4, "640x360")


@pytest.mark.parametrize(("variant", "code"), [("turbo-1", "not_a_final_model"), ("sora-9", "unknown_model")])
def test_a_final_is_made_by_a_variant_for_finals_alone(
    artist: Caller, now: datetime, variant: str, code: str
) -> None:
    source = completed_video(artist, now)

    refusal = refused(
        lambda: lineage.final(caller=artist, video=source, variant=variant, now=now), Invalid, code, "model"
    )

    assert "full-1" in refusal.sentence


def test_without_a_variant_for_finals_there_are_none(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    source = completed_video(artist, now)
    ModelVariant.objects.filter(programme_id=programme.id).update(stage="draft")

    refused(lambda: lineage.final(caller=artist, video=source, now=now), Invalid, "no_final_model", "model")


def test_again_takes_over_all_that_makes_frames_even_what_the_variant_has_changed(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    style = programme_style(programme, RISO, now)
    source = completed_video(artist, now, seed=7, style=style)
    ModelVariant.objects.filter(programme_id=programme.id).update(steps=99, guidance=9.0, rates=[30])

    (made,) = lineage.again(caller=artist, video=source, now=now)

    assert _kept(_row(made)) == _kept(_row(source))


def test_again_repeats_the_forward_that_its_source_went_through(artist: Caller, now: datetime) -> None:
    source = completed_video(artist, now)
    Attempt.objects.update(batch=4, place=2)

    lineage.again(caller=artist, video=source, now=now)

    taken = claim(now)
    assert (taken.repeat, taken.place) == (4, 2)


@pytest.mark.parametrize("known_by", ["worker", "latest clip"])
def test_again_is_refused_once_the_checkpoint_is_another(
    artist: Caller, now: datetime, known_by: str
) -> None:
    source = completed_video(artist, now)
    if known_by == "worker":
        held = {"backend": "null", "checkpoint": "builtin", "digest": "1" * 64}
        Worker.objects.create(name="gpu", lanes=["turbo"], held=[held], started_at=now, seen_at=now)
    else:
        completed_video(artist, now + timedelta(minutes=1))
        Attempt.objects.exclude(video__public_id=source).update(checkpoint_digest="1" * 64)

    refusal = refused(
        lambda: lineage.again(caller=artist, video=source, now=now), WrongState, "model_changed"
    )

    assert "000000000000" in refusal.sentence
    assert "111111111111" in refusal.sentence
    assert lineage.remix(caller=artist, video=source, now=now)


def test_a_worker_that_is_gone_does_not_say_what_the_checkpoint_is(artist: Caller, now: datetime) -> None:
    source = completed_video(artist, now)
    held = {"backend": "null", "checkpoint": "builtin", "digest": "1" * 64}
    Worker.objects.create(
        name="gpu", lanes=["turbo"], held=[held], started_at=now, seen_at=now - timedelta(hours=1)
    )

    assert lineage.again(caller=artist, video=source, now=now)


def test_the_tree_tells_whether_the_same_frames_came(artist: Caller, now: datetime) -> None:
    source = completed_video(artist, now)
    (same,) = lineage.again(caller=artist, video=source, now=now + timedelta(seconds=1))
    done = claim(now)
    assert done.video == same
    assert finish(done, now)
    (waiting,) = lineage.again(caller=artist, video=source, now=now + timedelta(seconds=2))

    def told() -> dict[str, bool | None]:
        tree = queries.lineage(source, member_of(artist).id)
        assert tree is not None
        return {kin.public_id: kin.same_frames for kin in tree.clips}

    assert told() == {source: None, same: False, waiting: None}  # the test's results differ in their names
    digest = _row(source).master.frames_sha256
    Master.objects.update(frames_sha256=digest)
    assert told() == {source: None, same: True, waiting: None}


def test_again_is_refused_once_its_adapter_or_its_picture_is_gone(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    ink = add_adapter(programme, now)
    style = programme_style(programme, replace(RISO, adapter=ink), now)
    start = references.upload(caller=artist, picture=picture(), now=now)
    styled, started = completed_video(artist, now, style=style), completed_video(artist, now, reference=start)
    adapters.retire_for_programme(programme=programme, adapter=ink, by=system("test"), now=now)
    references.remove(caller=artist, reference=start, now=now)

    for source, code, field in (
        (styled, "style_unusable", "style"),
        (started, "reference_removed", "reference"),
    ):
        refused(partial(lineage.again, caller=artist, video=source, now=now), Invalid, code, field)

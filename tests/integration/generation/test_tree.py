"""The tree of clips, and how many of them were kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from pytest_django import DjangoAssertNumQueries

from access.caller import Caller
from generation import queries
from generation.models import ModelVariant, Video
from generation.queries import HitRate, Kin, Lineage
from generation.services import choices, clips, lineage, references
from generation.services.styles import StyleSpec
from generation.states import Relation, VideoState
from programme.queries import ProgrammeView
from tests.factories.generation import claim, completed_video, finish, queued_video, video_at
from tests.factories.looks import filmed, member_of, programme_style

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _from_pictures(programme: ProgrammeView) -> None:
    ModelVariant.objects.filter(programme_id=programme.id).update(images=True)


def _tree(video: str, caller: Caller) -> Lineage:
    found = queries.lineage(video, member_of(caller).id)
    assert found is not None
    return found


def _lines(tree: Lineage) -> list[tuple[int, str]]:
    return [(kin.depth, kin.public_id) for kin in tree.clips]


def _kin(tree: Lineage, video: str) -> Kin:
    return next(kin for kin in tree.clips if kin.public_id == video)


def test_every_clip_of_a_tree_shows_the_same_tree(artist: Caller, now: datetime) -> None:
    root = filmed(artist, now)
    (left,) = lineage.remix(caller=artist, video=root, prompt="a green boat", now=now + SECOND)
    (right,) = lineage.extend(caller=artist, video=root, now=now + 2 * SECOND)
    (leaf,) = lineage.remix(caller=artist, video=left, prompt="a blue boat", now=now + 3 * SECOND)
    queued_video(artist, now)  # of no kin

    for video in (root, left, right, leaf):
        tree = _tree(video, artist)
        assert _lines(tree) == [(0, root), (1, left), (2, leaf), (1, right)]
        assert [kin.public_id for kin in tree.clips if kin.asked] == [video]
        assert tree.whole
    assert (_kin(tree, right).relation, _kin(tree, right).frame_of) == (Relation.EXTEND, root)
    assert (_kin(tree, leaf).relation, _kin(tree, leaf).source) == (Relation.REMIX, left)


def test_a_clip_hangs_on_the_one_from_whose_frame_it_starts(artist: Caller, now: datetime) -> None:
    filmed_one = filmed(artist, now)
    frame = references.from_clip(caller=artist, video=filmed_one, second=1.0, now=now)
    started = queued_video(artist, now + SECOND, reference=frame)

    tree = _tree(filmed_one, artist)

    assert _lines(tree) == _lines(_tree(started, artist)) == [(0, filmed_one), (1, started)]
    assert (_kin(tree, started).frame_of, _kin(tree, started).source) == (filmed_one, None)


def test_a_deleted_clip_keeps_its_place_without_its_words(artist: Caller, now: datetime) -> None:
    root = completed_video(artist, now)
    (middle,) = lineage.remix(caller=artist, video=root, prompt="a secret", now=now + SECOND)
    (leaf,) = lineage.remix(caller=artist, video=middle, prompt="a blue boat", now=now + 2 * SECOND)
    clips.delete(video=middle, by=artist.actor, now=now)

    tree = _tree(leaf, artist)

    assert _lines(tree) == [(0, root), (1, middle), (2, leaf)]
    assert (_kin(tree, middle).deleted, _kin(tree, middle).prompt) == (True, "")
    assert queries.lineage(middle, member_of(artist).id) is None


def test_nobody_else_sees_a_tree(artist: Caller, other_artist: Caller, now: datetime) -> None:
    root = completed_video(artist, now)
    (leaf,) = lineage.remix(caller=artist, video=root, now=now)
    Video.objects.filter(public_id=leaf).update(membership_id=member_of(other_artist).id)

    assert _lines(_tree(root, artist)) == [(0, root)]
    assert queries.lineage(root, member_of(other_artist).id) is None
    assert _lines(_tree(leaf, other_artist)) == [(0, leaf)]


def test_a_tree_is_one_statement_however_long_and_however_wide(
    artist: Caller,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = completed_video(artist, now, seconds=2)
    wide = lineage.remix(caller=artist, video=root, takes=6, now=now + SECOND)
    (deep,) = lineage.remix(caller=artist, video=wide[0], now=now + 2 * SECOND)
    for number in range(4):
        (deep,) = lineage.remix(caller=artist, video=deep, now=now + (number + 3) * SECOND)
    with django_assert_num_queries(1):
        assert len(_tree(deep, artist).clips) == 12

    monkeypatch.setattr(import_module("generation.queries.lineage"), "MOST_CLIPS", 5)
    with django_assert_num_queries(1):
        cut = _tree(root, artist)

    assert len(cut.clips) == 5
    assert not cut.whole
    assert cut.clips[0].public_id == root


def test_hit_rates_count_what_has_a_star_and_what_a_final_was_made_from(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    style = programme_style(programme, StyleSpec(name="Riso", template="{prompt}, risograph"), now)
    starred, chosen, starred_and_deleted, plain = (
        completed_video(artist, now, seconds=2, style=style) for _ in range(4)
    )
    completed_video(artist, now, seconds=2)
    video_at(VideoState.FAILED, artist, now)
    completed_video(other_artist, now, seconds=2, style=style)
    for video in (starred, starred_and_deleted):
        choices.star(video=video, membership_id=member_of(artist).id, by=artist.actor, now=now)
    clips.delete(video=starred_and_deleted, by=artist.actor, now=now)
    lineage.final(caller=artist, video=chosen, now=now)
    (dropped,) = lineage.final(caller=artist, video=plain, now=now)
    clips.delete(video=dropped, by=artist.actor, now=now)
    final = claim(now, lane="full")
    assert finish(final, now)

    rates = queries.hit_rates(member_of(artist).id)

    assert rates.variants == (HitRate("turbo-1", "Turbo", 2, 5), HitRate("full-1", "Full", 0, 1))
    assert rates.styles == (HitRate(style, "Riso", 2, 5), HitRate("", "", 0, 1))


def test_hit_rates_are_two_statements(
    artist: Caller, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        completed_video(artist, now, seconds=2)

    with django_assert_num_queries(2):
        queries.hit_rates(member_of(artist).id)

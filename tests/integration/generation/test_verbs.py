"""Every verb of an artist, on a clip in every state: their own, somebody else's, a deleted one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from access.caller import Caller
from core.errors import NotAllowed, NotFound, WrongState
from generation import queries
from generation.models import ModelVariant, Video
from generation.queries import ClipView
from generation.queries.clips import Part
from generation.services import choices, clips, lineage, requests
from generation.states import OPEN, Relation, VideoState
from tests.factories.generation import video_at
from tests.factories.looks import filmed, unchanged

pytestmark = pytest.mark.django_db

ENDED = frozenset(VideoState) - OPEN
DONE = frozenset({VideoState.COMPLETED})


def _member(caller: Caller) -> int:
    assert caller.membership is not None
    return caller.membership.id


def _clip(video: str) -> ClipView:
    clip = queries.clip(video)
    assert clip is not None
    return clip


def _chosen(video: str, caller: Caller, now: datetime, verb: Callable[..., None]) -> None:
    verb(video=video, membership_id=_member(caller), by=caller.actor, now=now)


VERBS: dict[str, tuple[Callable[[str, Caller, datetime], object], frozenset[VideoState]]] = {
    "remix": (
        lambda video, caller, now: lineage.remix(caller=caller, video=video, prompt="a green boat", now=now),
        frozenset(VideoState),
    ),
    "extend": (lambda video, caller, now: lineage.extend(caller=caller, video=video, now=now), DONE),
    "final": (lambda video, caller, now: lineage.final(caller=caller, video=video, now=now), DONE),
    "again": (lambda video, caller, now: lineage.again(caller=caller, video=video, now=now), ENDED),
    "star": (lambda video, caller, now: _chosen(video, caller, now, choices.star), DONE),
    "unstar": (lambda video, caller, now: _chosen(video, caller, now, choices.unstar), frozenset(VideoState)),
    "discard": (lambda video, caller, now: _chosen(video, caller, now, choices.discard), ENDED),
    "restore": (
        lambda video, caller, now: _chosen(video, caller, now, choices.restore),
        frozenset(VideoState),
    ),
    "cancel": (lambda video, caller, now: _chosen(video, caller, now, requests.cancel), OPEN),
    "cancel_request": (
        lambda video, caller, now: requests.cancel_request(
            request=_clip(video).request, membership_id=_member(caller), by=caller.actor, now=now
        ),
        OPEN,
    ),
}


def _at(state: VideoState, caller: Caller, now: datetime) -> str:
    return filmed(caller, now) if state == VideoState.COMPLETED else video_at(state, caller, now)


@pytest.fixture(autouse=True)
def _from_pictures(artist: Caller) -> None:
    assert artist.membership is not None
    ModelVariant.objects.filter(programme_id=artist.membership.programme.id).update(images=True)


@pytest.mark.parametrize("state", VideoState)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_works_in_its_states_and_changes_nothing_in_others(
    verb: str, state: VideoState, artist: Caller, now: datetime
) -> None:
    ask, works_in = VERBS[verb]
    video = _at(state, artist, now)

    if state in works_in:
        ask(video, artist, now)
        return
    with unchanged(), pytest.raises(WrongState) as refusal:
        ask(video, artist, now)
    assert refusal.value.code in {"not_completed", "not_ended", "already_ended"}


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_does_anything_with_anothers_clip(
    verb: str, artist: Caller, other_artist: Caller, now: datetime
) -> None:
    ask, _ = VERBS[verb]
    for state in VideoState:
        video = _at(state, artist, now)
        with unchanged(), pytest.raises(NotFound):
            ask(video, other_artist, now)
        if state in OPEN:  # what waits would be claimed for the next
            _chosen(video, artist, now, requests.cancel)


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_done_with_a_deleted_clip(verb: str, artist: Caller, now: datetime) -> None:
    ask, _ = VERBS[verb]
    for state in ENDED:
        video = _at(state, artist, now)
        clips.delete(video=video, by=artist.actor, now=now)
        with unchanged(), pytest.raises(NotFound):
            ask(video, artist, now)


def test_a_star_brings_back_what_was_discarded_and_discarding_takes_the_star(
    artist: Caller, now: datetime
) -> None:
    video = video_at(VideoState.COMPLETED, artist, now)
    seen = []
    for verb in (
        choices.star,
        choices.discard,
        choices.star,
        choices.unstar,
        choices.discard,
        choices.restore,
    ):
        _chosen(video, artist, now, verb)
        seen.append((_clip(video).starred, _clip(video).discarded))

    kept, aside, neither = (True, False), (False, True), (False, False)
    assert seen == [kept, aside, kept, neither, aside, neither]


def test_what_was_discarded_leaves_the_wall_and_nothing_else(artist: Caller, now: datetime) -> None:
    gone, kept = (video_at(VideoState.COMPLETED, artist, now) for _ in range(2))
    _chosen(gone, artist, now, choices.discard)
    _chosen(kept, artist, now, choices.star)

    def part(name: Part) -> set[str]:
        return {clip.public_id for clip in queries.clips_of(_member(artist), limit=9, part=name) or []}

    assert part("wall") == part("starred") == {kept}
    assert part("discarded") == {gone}
    assert part("all") == {gone, kept}
    assert _clip(gone).master is not None


@pytest.mark.parametrize("verb", ["remix", "extend", "final", "again"])
@pytest.mark.parametrize("who", ["suspended", "without terms"])
def test_who_may_not_render_gets_nothing_out_of_a_clip_either(
    verb: str, who: str, request: pytest.FixtureRequest, artist: Caller, now: datetime
) -> None:
    fixture = {"suspended": "suspended_artist", "without terms": "artist_without_terms"}[who]
    caller: Caller = request.getfixturevalue(fixture)
    video = _at(VideoState.COMPLETED, artist, now)
    Video.objects.filter(public_id=video).update(membership_id=_member(caller))

    with unchanged(), pytest.raises(NotAllowed):
        VERBS[verb][0](video, caller, now)


def test_each_relation_is_told_of_the_clip_that_was_made(artist: Caller, now: datetime) -> None:
    for relation in Relation:
        source = filmed(artist, now)
        made = VERBS[relation.value][0](source, artist, now)
        assert isinstance(made, tuple)
        clip = _clip(made[0])
        assert (clip.source, clip.relation) == (source, relation)
        requests.cancel(video=made[0], membership_id=_member(artist), by=artist.actor, now=now)

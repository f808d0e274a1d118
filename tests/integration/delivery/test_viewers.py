"""No byte without a grant: every viewer in every state of a clip, each kind of file, ranges and HEAD included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory

from access import gate
from access.caller import Caller
from access.kinds import TokenKind
from core.errors import DomainError, Gone, NotFound
from delivery import serve
from generation.models import Rendition
from review.rules import LEASE
from review.services import leases, shares, submissions
from review.states import RevokerRole
from tests.factories import people
from tests.factories.generation import completed_video
from tests.factories.review import asked, claimed, decided, share_of

pytestmark = pytest.mark.django_db
KINDS = ("mp4", "poster", "sprite", "vtt", "sheet")
PUBLIC = ("mp4", "poster")
REQUESTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("GET", {}),
    ("HEAD", {}),
    ("GET", {"Range": "bytes=0-9"}),
    ("GET", {"Range": "bytes=100-"}),
)
factory = RequestFactory()


@dataclass(frozen=True)
class Scene:
    """A clip in one state, and the addresses at which somebody may try."""

    video: str
    case: str
    share: str


@dataclass(frozen=True)
class Cast:
    artist: Caller
    reviewer: Caller
    second_reviewer: Caller
    now: datetime


def _made(cast: Cast) -> Scene:
    return Scene(completed_video(cast.artist, cast.now), "case_none", "s_none")


def _waiting(cast: Cast) -> Scene:
    made = asked(cast.artist, cast.now)
    return Scene(made.video, made.case, "s_none")


def _held(cast: Cast) -> Scene:
    scene = _waiting(cast)
    claimed(cast.reviewer, cast.now)
    return scene


def _lapsed(cast: Cast) -> Scene:
    scene = _waiting(cast)
    claimed(cast.reviewer, cast.now - LEASE)
    return scene


def _handed_back(cast: Cast) -> Scene:
    scene = _waiting(cast)
    lease = claimed(cast.reviewer, cast.now)
    leases.hand_back(task=lease.task, lease_token=lease.token, by=cast.reviewer.actor, now=cast.now)
    return scene


def _withdrawn(cast: Cast) -> Scene:
    made = asked(cast.artist, cast.now)
    claimed(cast.reviewer, cast.now)
    submissions.withdraw(submission=made.submission, by=cast.artist.actor, now=cast.now)
    return Scene(made.video, made.case, "s_none")


def _decided(outcome: str) -> Callable[[Cast], Scene]:
    def make(cast: Cast) -> Scene:
        made = asked(cast.artist, cast.now)
        decided(made, outcome, cast.reviewer, cast.now)
        return Scene(made.video, made.case, share_of(made) if outcome == "approve" else "s_none")

    return make


def _revoked(cast: Cast) -> Scene:
    scene = _decided("approve")(cast)
    shares.revoke(
        grant=scene.share, reason="", by=cast.artist.actor, as_role=RevokerRole.ARTIST, now=cast.now
    )
    return scene


def _deleted_private(cast: Cast) -> Scene:
    scene = _made(cast)
    shares.delete_clip(video=scene.video, by=cast.artist.actor, now=cast.now)
    return scene


def _deleted_on_view(cast: Cast) -> Scene:
    scene = _decided("approve")(cast)
    shares.delete_clip(video=scene.video, by=cast.artist.actor, now=cast.now)
    return scene


# Who gets the file: the artist, the reviewer who took the case, operators; and what the public address answers.
SCENES: dict[str, tuple[Callable[[Cast], Scene], bool, bool, bool, int]] = {
    "made": (_made, True, False, True, 404),
    "waiting": (_waiting, True, False, True, 404),
    "held": (_held, True, True, True, 404),
    "lapsed": (_lapsed, True, False, True, 404),
    "handed back": (_handed_back, True, False, True, 404),
    "withdrawn": (_withdrawn, True, False, True, 404),
    "changes asked": (_decided("changes"), True, True, True, 404),
    "refused": (_decided("refuse"), True, True, True, 404),
    "on view": (_decided("approve"), True, True, True, 200),
    "revoked": (_revoked, True, True, True, 410),
    "deleted": (_deleted_private, False, False, False, 404),
    "deleted on view": (_deleted_on_view, False, False, False, 410),
}


@pytest.mark.parametrize("scene", SCENES)
def test_no_byte_without_a_grant(
    artist: Caller,
    second_artist: Caller,
    reviewer: Caller,
    second_reviewer: Caller,
    operator: Caller,
    operator_elsewhere: Caller,
    now: datetime,
    scene: str,
) -> None:
    make, own, reviewed, operated, public = SCENES[scene]
    there = make(Cast(artist, reviewer, second_reviewer, now))
    everybody = [artist, second_artist, reviewer, second_reviewer, operator, operator_elsewhere]
    got: dict[tuple[str, str], set[int]] = {}

    for kind in KINDS:
        for method, headers in REQUESTS:
            for who in everybody:
                name = who.public_name or "elsewhere"
                for door, answer in _doors(who, there, kind, method, headers, now).items():
                    got.setdefault((door, name), set()).add(answer)
            asked_for = "what is shown" if kind in PUBLIC else "a tool"
            got.setdefault(("public", asked_for), set()).add(_public(there.share, kind, method, headers, now))

    expected = {
        (door, who.public_name or "elsewhere"): {404}
        for door in ("own", "case", "office")
        for who in everybody
    }
    expected[("own", artist.public_name)] = {200 if own else 404}
    expected[("case", reviewer.public_name)] = {200 if reviewed else 404}
    expected[("office", operator.public_name)] = {200 if operated else 404}
    expected[("public", "what is shown")] = {public}
    expected[("public", "a tool")] = {404}
    assert got == expected


def _doors(
    who: Caller, there: Scene, kind: str, method: str, headers: dict[str, str], now: datetime
) -> dict[str, int]:
    return {
        "own": _status(lambda: serve.own_file(who, there.video, kind, _request(method, headers), now=now)),
        "case": _status(lambda: serve.case_file(who, there.case, kind, _request(method, headers), now=now)),
        "office": _status(
            lambda: serve.operator_file(who, there.video, kind, _request(method, headers), now=now)
        ),
    }


def _public(share: str, kind: str, method: str, headers: dict[str, str], now: datetime) -> int:
    return _status(lambda: serve.public_file(share, kind, _request(method, headers), now=now))


def _request(method: str, headers: dict[str, str]) -> Any:
    return factory.generic(method, "/", headers=headers)


def _status(serve_it: Callable[[], Any]) -> int:
    """200 for whatever carries bytes; partial answers count as such."""
    try:
        response = serve_it()
    except Gone:
        return 410
    except NotFound:
        return 404
    response.close()
    assert response.status_code in {200, 206}
    return 200


def test_revoked_means_gone_from_the_very_next_request(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    decided(made, "approve", reviewer, now)
    share = share_of(made)
    etag = {"If-None-Match": serve.public_file(share, "mp4", _request("HEAD", {}), now=now)["ETag"]}
    assert serve.public_file(share, "mp4", _request("GET", etag), now=now).status_code == 304

    shares.revoke(grant=share, reason="", by=artist.actor, as_role=RevokerRole.ARTIST, now=now)

    for method, headers in (*REQUESTS, ("GET", etag)):
        assert _public(share, "mp4", method, headers, now) == 410
    assert serve.own_file(artist, made.video, "mp4", _request("HEAD", {}), now=now).status_code == 200


def test_an_old_address_stays_gone_when_the_clip_is_on_view_again(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    decided(made, "approve", reviewer, now)
    old = share_of(made)
    shares.revoke(grant=old, reason="", by=artist.actor, as_role=RevokerRole.ARTIST, now=now)
    again = asked(artist, now, video=made.video)
    decided(again, "approve", reviewer, now)

    assert [_public(share, "mp4", "GET", {}, now) for share in (old, share_of(again))] == [410, 200]


def test_a_file_swapped_after_its_approval_is_not_served(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    decided(made, "approve", reviewer, now)
    Rendition.objects.filter(kind="mp4").update(sha256="0" * 64)

    assert [_public(share_of(made), kind, "GET", {}, now) for kind in PUBLIC] == [404, 200]


def test_a_file_that_the_grant_does_not_list_is_not_served(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    decided(made, "approve", reviewer, now)
    other = completed_video(artist, now)

    for kind in ("sprite", "vtt", "sheet", "source", "", other):
        assert _public(share_of(made), kind, "GET", {}, now) == 404


def test_a_share_is_not_there_before_its_time(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    decided(made, "approve", reviewer, now)

    assert _public(share_of(made), "mp4", "GET", {}, now - timedelta(seconds=1)) == 404


def test_a_reviewers_view_ends_with_the_lease(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked(artist, now)
    claimed(reviewer, now)

    def watch(at: datetime) -> int:
        return _status(lambda: serve.case_file(reviewer, made.case, "mp4", _request("GET", {}), now=at))

    assert [watch(now), watch(now + LEASE - timedelta(seconds=1)), watch(now + LEASE)] == [200, 200, 404]


def test_a_token_opens_what_its_scopes_and_membership_cover(
    artist: Caller, second_artist: Caller, now: datetime
) -> None:
    video = completed_video(artist, now)

    def get(caller: Caller) -> int:
        return _status(lambda: serve.own_file(caller, video, "mp4", _request("GET", {}), now=now))

    def bearer(owner: Caller, *scopes: str) -> Caller:
        issued = people.token(owner, now, kind=TokenKind.ARTIST, scopes=frozenset(scopes))
        return gate.caller_for_token(issued.secret, now)

    reads = bearer(artist, "videos:read")
    assert get(reads) == 200
    assert get(bearer(artist, "videos:write")) == 404
    assert get(bearer(second_artist, "videos:read")) == 404
    assert reads.membership is not None
    assert get(replace(reads, membership=replace(reads.membership, id=reads.membership.id + 1))) == 404


@pytest.mark.parametrize("state", ["suspended", "ended"])
def test_own_work_stays_reachable_whatever_becomes_of_the_membership(
    artist: Caller, now: datetime, state: str
) -> None:
    from programme.services import memberships

    video = completed_video(artist, now)
    assert artist.membership is not None
    end = memberships.suspend if state == "suspended" else memberships.end
    end(membership_id=artist.membership.id, by=people.HOUSE, now=now)

    later = gate.caller_for_user(artist.user_id)
    assert _status(lambda: serve.own_file(later, video, "mp4", _request("GET", {}), now=now)) == 200


def test_a_render_without_files_is_not_found(artist: Caller, now: datetime) -> None:
    from tests.factories.generation import queued_video

    with pytest.raises(DomainError) as refused:
        serve.own_file(artist, queued_video(artist, now), "mp4", _request("GET", {}), now=now)
    assert isinstance(refused.value, NotFound)

"""Rule 1 as a sweep: every address by every state of a clip by every kind of caller.

No byte of a clip reaches anyone but its artist, the reviewer who holds or has decided its case, and operators,
unless a grant is active now. Addresses come from the URL configuration: a new one is swept the day it appears.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import URLResolver, get_resolver
from PIL import Image

from access.caller import Caller
from access.kinds import TokenKind
from access.services import tokens
from audit import outbox
from delivery.names import FILES
from generation.models import Reference, Rendition, Video
from generation.services import characters, files, references, styles
from generation.services.styles import StyleSpec
from programme.queries import ProgrammeView
from review.services import shares, submissions
from review.states import GrantState, RevokerRole, SubmissionState
from tests.factories import people, review
from tests.factories.generation import completed_video
from tests.factories.review import Asked

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

PROMPT = "a quokka made of brass, which no page but the artist's may name"
TITLE = "The brass quokka"
CHARACTER = "Quentin the quokka"
STYLE = "Quokka brass"
KINDS = ("mp4", "poster", "sprite", "vtt", "sheet")
VARIANTS = ("video", "thumbnail", "spritesheet", "spritesheet.vtt", "contact_sheet")
SUFFIXES = (".mp4", ".jpg", ".vtt", ".png")
SKIPPED = re.compile(r"^(admin/|accounts/|static/)")


@dataclass(frozen=True, slots=True)
class Ids:
    video: str
    case: str = "case_unknown"
    share: str = "s_unknown"
    order: str = "req_unknown"
    reference: str = "ref_unknown"
    character: str = "char_unknown"
    style: str = "style_unknown"


@dataclass(frozen=True, slots=True)
class People:
    artist: Caller
    holder: Caller
    other_reviewer: Caller


Walk = Callable[[People, datetime], Ids]


def _private(who: People, now: datetime) -> Ids:
    return Ids(completed_video(who.artist, now, prompt=PROMPT))


def _ask(who: People, now: datetime) -> Asked:
    return review.asked(who.artist, now, video=_private(who, now).video, title=TITLE)


def _in_review(who: People, now: datetime) -> Ids:
    made = _ask(who, now)
    return Ids(made.video, made.case)


def _leased(who: People, now: datetime) -> Ids:
    made = _ask(who, now)
    review.claimed(who.holder, now)
    return Ids(made.video, made.case)


def _decided(outcome: str) -> Walk:
    def walk(who: People, now: datetime) -> Ids:
        made = _ask(who, now)
        review.decided(made, outcome, who.holder, now)
        share = review.share_of(made) if outcome == "approve" else "s_unknown"
        return Ids(made.video, made.case, share)

    return walk


def _withdrawn(who: People, now: datetime) -> Ids:
    made = _ask(who, now)
    submissions.withdraw(submission=made.submission, by=who.artist.actor, now=now)
    return Ids(made.video, made.case)


def _revoked(who: People, now: datetime) -> Ids:
    ids = _decided("approve")(who, now)
    shares.revoke(grant=ids.share, reason="", by=who.artist.actor, as_role=RevokerRole.ARTIST, now=now)
    return ids


def _deleted(before: Walk) -> Walk:
    def walk(who: People, now: datetime) -> Ids:
        ids = before(who, now)
        shares.delete_clip(video=ids.video, by=who.artist.actor, now=now)
        return ids

    return walk


REVIEWED = {"holder", "holder's token"}
OPERATORS = {"operator"}
OWNERS = {"artist", "artist's token"}
EVERYBODY = {"visitor"}
# How a state is reached, and who gets the bytes in it.
STATES: dict[str, tuple[Walk, set[str]]] = {
    "private": (_private, OWNERS | OPERATORS),
    "in review": (_in_review, OWNERS | OPERATORS),
    "leased": (_leased, OWNERS | OPERATORS | REVIEWED),
    "changes asked": (_decided("changes"), OWNERS | OPERATORS | REVIEWED),
    "refused": (_decided("refuse"), OWNERS | OPERATORS | REVIEWED),
    "withdrawn": (_withdrawn, OWNERS | OPERATORS),
    "on view": (_decided("approve"), OWNERS | OPERATORS | REVIEWED | EVERYBODY),
    "revoked": (_revoked, OWNERS | OPERATORS | REVIEWED),
    "deleted": (_deleted(_private), set()),
    "deleted in review": (_deleted(_leased), set()),
    "deleted on view": (_deleted(_decided("approve")), set()),
}


# A list shows posters of many clips by their own addresses, which every state sweeps; its own bytes are swept in these.
WITH_LISTS = {"private", "in review", "on view", "revoked"}


def test_every_state_of_a_submission_and_a_share_is_swept() -> None:
    assert set(SubmissionState) <= {"open", "changes_asked", "approved", "refused", "withdrawn"}
    assert {GrantState.ACTIVE, GrantState.REVOKED} <= set(GrantState)


def _routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern, route)
        elif not SKIPPED.match(route):
            yield route


def _addresses(ids: Ids, *, lists: bool) -> list[str]:
    """Every address with each of its places filled by the clip's own ids; file names by each file's.

    Addresses without a place are lists of many clips; `lists` says whether they are asked too.
    """
    known = {"video": ids.video, "case": ids.case, "share": ids.share, "grant": ids.share}
    known |= {"order": ids.order, "reference": ids.reference, "character": ids.character, "style": ids.style}
    found: list[str] = []
    for route in _routes(get_resolver()):
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        if not names and not lists:
            continue
        choices = list(FILES) if names and names[-1] in {"name", "file"} else [""]
        for choice in choices:
            path = route
            for name in names:
                path = re.sub(rf"<(?:\w+:)?{name}>", known.get(name) or choice or ids.video, path)
            found.append("/" + path)
            if path.endswith("content"):
                found += [f"/{path}?variant={variant}" for variant in VARIANTS]
            elif path.endswith(SUFFIXES):
                found.append(f"/{path}?download=1")
    return found


Ask = Callable[[str, dict[str, str]], tuple[int, bytes]]


def _browser(caller: Caller | None) -> Ask:
    client = Client(raise_request_exception=True)
    if caller is not None:
        client.force_login(get_user_model().objects.get(pk=caller.user_id))
    return lambda path, headers: _answer(client, path, headers)


def _bearer(secret: str) -> Ask:
    client = Client()
    return lambda path, headers: _answer(client, path, headers | {"Authorization": f"Bearer {secret}"})


def _answer(client: Client, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    response = client.get(path, headers=headers)
    return response.status_code, response.getvalue()


def _callers(who: People, other: Caller, operator: Caller, now: datetime) -> dict[str, Ask]:
    revoked = people.token(who.artist, now)
    tokens.revoke(token=revoked.public_id, by=who.artist.actor, now=now)
    write_only = people.token(who.artist, now, scopes=frozenset({"videos:write"}))
    return {
        "visitor": _browser(None),
        "artist": _browser(who.artist),
        "other artist": _browser(other),
        "holder": _browser(who.holder),
        "other reviewer": _browser(who.other_reviewer),
        "operator": _browser(operator),
        "artist's token": _bearer(people.token(who.artist, now).secret),
        "artist's token without reading": _bearer(write_only.secret),
        "artist's revoked token": _bearer(revoked.secret),
        "other artist's token": _bearer(people.token(other, now).secret),
        "holder's token": _bearer(people.token(who.holder, now, kind=TokenKind.REVIEWER).secret),
        "other reviewer's token": _bearer(
            people.token(who.other_reviewer, now, kind=TokenKind.REVIEWER).secret
        ),
        "operator's token": _bearer(people.token(operator, now, kind=TokenKind.OPERATOR).secret),
    }


def _pieces(video: str) -> list[bytes]:
    """What any 80 bytes of any file contain: the factory fills them with one sentence over and over."""
    found = {row.kind: row for row in Rendition.objects.filter(master__video__public_id=video)}
    assert set(found) == set(KINDS)
    for row in found.values():
        with files.store().open(row.storage_key) as file:
            assert video.encode() in file.read(80)
    return _sentences(video, KINDS)


def _sentences(video: str, kinds: Sequence[str]) -> list[bytes]:
    return [f"{kind} of {video}".encode() for kind in kinds] + [f"{video} {kind}".encode() for kind in kinds]


def _with_looks(ids: Ids, who: People, now: datetime) -> tuple[Ids, bytes]:
    """The clip's request, and a picture, a character and a style of the artist's; the picture's bytes, too."""
    drawn = io.BytesIO()
    Image.effect_noise((96, 64), 80).convert("RGB").save(drawn, "PNG")
    picture = references.upload(caller=who.artist, picture=drawn.getvalue(), now=now)
    row = Reference.objects.get(public_id=picture)
    with files.store().open(row.storage_key) as file:
        kept = file.read()
    made = replace(
        ids,
        order=Video.objects.get(public_id=ids.video).request,
        reference=picture,
        character=characters.create(caller=who.artist, name=CHARACTER, pictures=[picture], now=now),
        style=styles.create(caller=who.artist, spec=StyleSpec(name=STYLE), now=now),
    )
    return made, kept


@dataclass(frozen=True, slots=True)
class Known:
    """What any part of a clip's files, of its master's source and of a picture has in it."""

    clip: list[bytes]
    source: list[bytes]
    picture: bytes

    def told_by(self, body: bytes) -> set[str]:
        pieces = {
            "clip": self.clip,
            "source": self.source,
            "picture": [self.picture[40:90], self.picture[-60:]],
        }
        return {name for name, found in pieces.items() if any(piece in body for piece in found)}


def _check_words(name: str, path: str, state: str, status: int, body: bytes, *, public: bool) -> None:
    if name in {"visitor", "other artist", "other artist's token"} and not public:
        assert PROMPT.encode() not in body, f"{name} read the prompt at {path} ({state})"
        assert TITLE.encode() not in body or status == 410, f"{name} read the title at {path}"
    if name not in OWNERS:
        for private in (CHARACTER, STYLE):
            assert private.encode() not in body, f"{name} read “{private}” at {path} ({state})"


@pytest.mark.parametrize("state", STATES)
def test_bytes_reach_exactly_those_who_may_have_them(
    state: str,
    programme: ProgrammeView,
    artist: Caller,
    other_artist: Caller,
    operator: Caller,
    reviewer: Caller,
    other_reviewer: Caller,
    now: datetime,
    stopped_clock: time_machine.Traveller,
) -> None:
    review.put_policy(programme.id, now)
    who = People(artist, reviewer, other_reviewer)
    walk, entitled = STATES[state]
    ids = walk(who, now)
    ids, picture = _with_looks(ids, who, now)
    files_of = Known(_pieces(ids.video), _sentences(ids.video, ["source"]), picture)
    outbox.deliver_due(now=now)
    callers = _callers(who, other_artist, operator, now)
    public = "visitor" in entitled

    reached: set[str] = set()
    pictured: set[str] = set()
    for name, ask in callers.items():
        for path in _addresses(ids, lists=state in WITH_LISTS):
            shared = path.startswith("/s/")
            ranges = ({}, {"Range": "bytes=0-99"}, {"Range": "bytes=-90"}) if _is_file(path) else ({},)
            for headers in ranges:
                status, body = ask(path, headers)
                assert status < 500, (name, path)
                got = files_of.told_by(body)
                assert "source" not in got, f"{name} got the master's source at {path} ({state})"
                if "clip" in got:
                    assert status in {200, 206}
                    assert name in entitled or (public and shared), f"{name} got bytes at {path} ({state})"
                    reached.add(name)
                if "picture" in got:
                    assert name in OWNERS, f"{name} got the artist's picture at {path} ({state})"
                    pictured.add(name)
                _check_words(name, path, state, status, body, public=public)
    assert reached >= entitled, f"{entitled - reached} got nothing, though they may"
    assert pictured == OWNERS, "a picture is its artist's, whatever becomes of a clip"


def _is_file(path: str) -> bool:
    return "content" in path or any(suffix in path for suffix in SUFFIXES)

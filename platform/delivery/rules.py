"""The one predicate between a stored file and the world."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from access import gate
from access.caller import Caller
from generation.states import Purpose
from programme import queries as programme
from review import queries as review
from roles import queries as roles
from roles.roles import Permission


@dataclass(frozen=True, slots=True)
class Copy:
    """A stored file, and whose clip it is of. `sha256` is what the table says of it now."""

    rendition_id: int
    rendition: str
    master_id: int
    artist_id: int
    membership_id: int
    sha256: str
    bytes: int
    media_type: str
    storage_key: str
    removed: bool
    stem: str
    """What a download is called, without its suffix."""
    made_for: tuple[Purpose, str] | None = None
    """Whose copy it is; None where there is one for all, because nothing in its frames tells copies apart."""


@dataclass(frozen=True, slots=True)
class Artist:
    """Asks for a clip of their own."""

    caller: Caller


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Asks for the clip of a case."""

    caller: Caller


@dataclass(frozen=True, slots=True)
class Operator:
    """Asks for any clip of the programme; each viewing is written down."""

    caller: Caller


@dataclass(frozen=True, slots=True)
class Visitor:
    """Asks at a public address, whoever it is: its share alone counts."""

    share: str


Viewer = Artist | Reviewer | Operator | Visitor


class Answer(StrEnum):
    SERVE = "serve"
    NOT_YET = "not_yet"
    """They may see the clip; a copy of their own is not there yet."""
    GONE = "gone"
    NOT_FOUND = "not_found"


def may_serve(viewer: Viewer, copy: Copy, now: datetime) -> Answer:
    """Whether that viewer gets that file now. Asked for every request, range requests and HEAD included."""
    if isinstance(viewer, Visitor):
        return _covered(viewer.share, copy, now)
    if copy.removed or not _may_see(viewer, copy, now):
        return Answer.NOT_FOUND
    return Answer.SERVE if copy.made_for in (None, handed_to(viewer)) else Answer.NOT_YET


def handed_to(viewer: Artist | Reviewer | Operator) -> tuple[Purpose, str]:
    """Purpose and recipient of the copy that is this viewer's."""
    caller = viewer.caller
    if not isinstance(viewer, Artist):
        return Purpose.SCREENING, str(caller.actor)
    if caller.token_id is not None:
        return Purpose.TOKEN, str(caller.actor)
    return Purpose.MASTER, str(caller.actor)


def _covered(share: str, copy: Copy, now: datetime) -> Answer:
    cover = review.covers(share, rendition_id=copy.rendition_id, sha256=copy.sha256, now=now)
    if cover == "ended":
        return Answer.GONE
    return Answer.SERVE if cover == "active" and not copy.removed else Answer.NOT_FOUND


def _may_see(viewer: Artist | Reviewer | Operator, copy: Copy, now: datetime) -> bool:
    caller = viewer.caller
    match viewer:
        case Artist():
            return _owns(caller, copy) and gate.may(caller, gate.Action.READ_OWN)
        case Reviewer():
            return gate.may(caller, gate.Action.REVIEW) and review.reviewer_sees(
                copy.master_id, reviewer_id=caller.user_id, now=now
            )
        case Operator():
            return gate.may(caller, gate.Action.OPERATE) and _runs_programme_of(caller, copy)


def _owns(caller: Caller, copy: Copy) -> bool:
    """A person owns what they made in any programme; a token belongs to one membership."""
    if caller.token_id is None:
        return caller.user_id == copy.artist_id
    return caller.membership is not None and caller.membership.id == copy.membership_id


def _runs_programme_of(caller: Caller, copy: Copy) -> bool:
    scopes = roles.scopes_of(caller.user_id, Permission.RUN_PROGRAMME)
    if scopes is None:
        return True
    member = programme.membership(copy.membership_id)
    return member is not None and member.programme.public_id in scopes

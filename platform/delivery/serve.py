"""What the doors call: look a file up, ask the one predicate, answer. Nothing else opens a stored file for HTTP."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from access import gate
from access.caller import Caller
from audit import log
from audit.queries import history
from core.clock import minutes_until
from core.errors import Gone, NotAllowed, NotFound, NotYet
from delivery import ranges
from delivery.respond import respond, respond_vtt
from delivery.rules import Answer, Artist, Copy, Operator, Reviewer, Viewer, Visitor, handed_to, may_serve
from generation import queries as generation
from generation.media.vtt import SPRITE_NAME
from generation.queries import ClipView, Standing
from generation.queries.references import reference_file
from generation.queries.traces import TracePicture
from generation.services import copies, files
from generation.states import Purpose
from review import queries as review

_ONE_VIEWING = timedelta(hours=1)
_SECONDS = 3
_LOOK_AGAIN = 0.25
_waiting = BoundedSemaphore(4)
_BEING_MADE = (
    "A copy of this clip with a number of its own is being made for you, which takes some seconds to a minute. "
    "Ask again in a moment."
)
_NOT_MADE = (
    "Your copy of this clip could not be made. The fault is ours, and we have been told. "
    "Ask for it again in {wait}."
)
_FRAME_OF_ARTIST = (
    "This frame carries the number of the artist's own copy, so it is shown in the studio alone. A token takes frames "
    "out of its own copy of the clip, and starts clips from this one by its id."
)
_FRAME_FAILED = (
    "This frame could not be taken out of its clip. Ask for it once more, or choose another second."
)
_FRAME_BEING_MADE = "This frame is being taken out of its clip. Ask again in a moment."


@dataclass(frozen=True, slots=True)
class Screening:
    """How the viewer's copy stands; `again_at`: it failed, and rests until then."""

    standing: Standing
    again_at: datetime | None = None


def own_file(
    caller: Caller, video: str, kind: str, request: HttpRequest, *, now: datetime, sprite: str = SPRITE_NAME
) -> HttpResponseBase:
    """A file (of a kind of `RenditionKind`) of the caller's own clip. Raises NotFound. Four statements at most.

    `sprite` is what a VTT calls its sprite at this door, relative to its own address. A program whose copy is still
    being made is kept waiting for a while, for many do not ask twice; then it is told when to (NotYet).
    """
    viewer = Artist(caller)
    copy = _copy(generation.clip(video), kind, viewer)
    try:
        _check(viewer, copy, now)
    except NotYet as refusal:
        if refusal.code != "copy_being_made":
            raise
        copy = _awaited(viewer, video, kind)
        _check(viewer, copy, now)
    return _unshared(request, copy, kind, sprite)


def own_reference(caller: Caller, reference: str, request: HttpRequest, *, now: datetime) -> HttpResponseBase:
    """A picture that the caller keeps to start clips from. Raises NotFound. One statement.

    A frame of a clip carries the artist's number, which must not be found in what a token has let out: a token takes
    frames out of its own copy (NotAllowed).
    """
    member = caller.membership
    file = reference_file(reference, member.id, now=now) if member is not None else None
    if member is None or file is None:
        raise NotFound("not_found", "There is nothing at this address.")
    copy = Copy(
        rendition_id=0,  # no rendition: no grant can cover it
        rendition=file.public_id,
        master_id=0,
        artist_id=member.user_id,
        membership_id=member.id,
        sha256=file.sha256,
        bytes=file.bytes,
        media_type=file.media_type,
        storage_key=file.storage_key,
        removed=False,
        stem=file.public_id,
    )
    _check(Artist(caller), copy, now)
    if file.marked and caller.token_id is not None:
        raise NotAllowed("session_only", _FRAME_OF_ARTIST)
    if not file.sha256 and file.failed:
        raise NotFound("not_found", _FRAME_FAILED)
    if not file.sha256:
        raise NotYet("copy_being_made", _FRAME_BEING_MADE, retry_after=1)
    return respond(request, copy, shared=False)


def case_file(
    caller: Caller, case: str, kind: str, request: HttpRequest, *, now: datetime, sprite: str = SPRITE_NAME
) -> HttpResponseBase:
    """A file of the clip that a case is about, for who holds it now or has decided it. Raises NotFound."""
    video = review.case_video(case)
    clip = generation.clips([video]).get(video) if video is not None else None
    viewer = Reviewer(caller)
    copy = _copy(clip, kind, viewer)
    _check(viewer, copy, now)
    return _unshared(request, copy, kind, sprite)


def operator_file(
    caller: Caller, video: str, kind: str, request: HttpRequest, *, now: datetime
) -> HttpResponseBase:
    """A file of any clip, for an operator; every viewing is audited. Raises NotFound."""
    viewer = Operator(caller)
    copy = _copy(generation.clip(video), kind, viewer)
    _check(viewer, copy, now)
    if request.method == "GET" and _is_new_viewing(caller, copy, request, now):
        with log.transaction() as events:
            events.record(
                action="rendition.viewed",
                actor=caller.actor,
                target=copy.rendition,
                now=now,
                data={"video": video, "kind": kind},
            )
    return respond(request, copy, shared=False)


def trace_picture(
    caller: Caller, picture: TracePicture, request: HttpRequest, *, now: datetime
) -> HttpResponseBase:
    """Evidence of a trace, for those who may trace; never kept. Raises NotAllowed, NotFound."""
    gate.check_may(caller, gate.Action.TRACE)
    try:
        length = files.store().size(picture.storage_key)
    except FileNotFoundError:
        raise NotFound("not_found", "This picture is not there any more.") from None
    copy = Copy(
        rendition_id=0,
        rendition=picture.trace,
        master_id=0,
        artist_id=0,
        membership_id=0,
        sha256=hashlib.sha256(picture.storage_key.encode()).hexdigest(),
        bytes=length,
        media_type="image/png",
        storage_key=picture.storage_key,
        removed=False,
        stem=f"{picture.trace} {picture.name}",
    )
    return respond(request, copy, shared=False)


def screening(viewer: Reviewer | Operator, clip: ClipView, *, now: datetime) -> Screening:
    """Whether the viewer's copy of a clip that they may see can be played; one that is not there is asked for.

    One statement where it is there, none where there is one copy for all.
    """
    if clip.master is None:
        return Screening(Standing.FAILED)
    purpose, recipient = handed_to(viewer)
    if generation.standing(clip.master, purpose, recipient) == Standing.READY:
        return Screening(Standing.READY)
    again_at = copies.order(master=clip.master.id, purpose=purpose, recipient=recipient, now=now)
    return Screening(Standing.FAILED if again_at else Standing.MAKING, again_at)


def public_file(share: str, kind: str, request: HttpRequest, *, now: datetime) -> HttpResponseBase:
    """A file at a share's public address. Raises Gone once the share has ended, NotFound for what never was one.

    Two statements.
    """
    found = review.granted_copy(share, kind)
    if found is None:
        raise NotFound("not_found", "There is nothing at this address.")
    copy = Copy(
        rendition_id=found.rendition_id,
        rendition=found.rendition,
        master_id=found.master_id,
        artist_id=found.artist_id,
        membership_id=found.membership_id,
        sha256=found.sha256,
        bytes=found.bytes,
        media_type=found.media_type,
        storage_key=found.storage_key,
        removed=found.removed,
        stem=f"{found.title} by {found.artist_name}",
    )
    _check(Visitor(share), copy, now)
    return respond(request, copy, shared=True)


def _unshared(request: HttpRequest, copy: Copy, kind: str, sprite: str) -> HttpResponseBase:
    if kind == "vtt" and sprite != SPRITE_NAME:
        return respond_vtt(request, copy, sprite=sprite)
    return respond(request, copy, shared=False)


def _awaited(viewer: Artist, video: str, kind: str) -> Copy:
    """The viewer's copy, as soon as it is there, or as it stands when the time is up."""
    until = time.monotonic() + settings.COPY_WAIT_SECONDS
    if not _waiting.acquire(blocking=False):  # every place is one thread less for all others
        until = 0
    try:
        while True:
            copy = _copy(generation.clip(video), kind, viewer)
            if copy.made_for == handed_to(viewer) or time.monotonic() > until:
                return copy
            time.sleep(_LOOK_AGAIN)
    finally:
        if until:
            _waiting.release()


def _check(viewer: Viewer, copy: Copy, now: datetime) -> None:
    match may_serve(viewer, copy, now):
        case Answer.GONE:
            raise Gone("gone", "This clip was on view and is not any more.")
        case Answer.NOT_YET if not isinstance(viewer, Visitor):
            purpose, recipient = handed_to(viewer)
            again_at = copies.order(master=copy.master_id, purpose=purpose, recipient=recipient, now=now)
            if again_at is not None:
                raise _not_made(again_at, now)
            raise NotYet("copy_being_made", _BEING_MADE, retry_after=_SECONDS)
        case Answer.NOT_FOUND | Answer.NOT_YET:
            raise NotFound("not_found", "There is nothing at this address.")
        case Answer.SERVE:
            return


def _not_made(again_at: datetime, now: datetime) -> NotYet:
    seconds = math.ceil((again_at - now).total_seconds())
    return NotYet("copy_failed", _NOT_MADE.format(wait=minutes_until(again_at, now)), retry_after=seconds)


def _copy(clip: ClipView | None, kind: str, viewer: Artist | Reviewer | Operator) -> Copy:
    """The file of the viewer's own copy; where that is not made yet, of the artist's, which is not theirs to have."""
    file = clip.master.rendition(kind) if clip is not None and clip.master is not None else None
    if clip is None or clip.master is None or file is None:
        raise NotFound("not_found", "There is nothing at this address.")
    made_for = (Purpose.MASTER, f"user:{clip.artist_public_id}") if clip.master.marked else None
    theirs = handed_to(viewer)
    if made_for is not None and theirs[0] != Purpose.MASTER:
        found = [own for own in generation.renditions(clip.master, *theirs) if own.kind == kind]
        if found:
            file, made_for = found[0], theirs
    return Copy(
        made_for=made_for,
        rendition_id=file.id,
        rendition=file.public_id,
        master_id=clip.master.id,
        artist_id=clip.artist_id,
        membership_id=clip.membership_id,
        sha256=file.sha256,
        bytes=file.bytes,
        media_type=file.media_type,
        storage_key=file.storage_key,
        removed=file.removed or clip.deleted_at is not None,
        stem=f"{clip.code} {clip.prompt[:60]}",
    )


def _is_new_viewing(caller: Caller, copy: Copy, request: HttpRequest, now: datetime) -> bool:
    """Each request for the beginning is a viewing; one for a later part belongs to the viewing that went before,
    if there was one: whoever asks from the second byte on is written down, too."""
    if ranges.begins_at_start(request.headers.get("Range"), copy.bytes):
        return True
    before = (event for event in history(copy.rendition) if event.actor == str(caller.actor))
    return not any(now - event.at < _ONE_VIEWING for event in before)

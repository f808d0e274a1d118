"""Clips that come from this one: its final, once more, how it goes on; and pictures taken out of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import DomainError, Invalid, NotFound
from generation import queries as generation
from generation.queries.characters import own_characters
from generation.services import characters, lineage, references
from portal.artist import clip as clips
from portal.artist.ordering import CHARACTER, REFERENCE, number
from portal.gates import hidden, requires

Verb = Callable[[HttpRequest, Caller, str, datetime], tuple[str, ...]]


def _final(request: HttpRequest, caller: Caller, video: str, now: datetime) -> tuple[str, ...]:
    return lineage.final(
        caller=caller,
        video=video,
        now=now,
        variant=request.POST.get("variant") or None,
        seconds=number("seconds", request.POST.get("seconds", "")),
        size=request.POST.get("size") or None,
        fps=number("fps", request.POST.get("fps", "")),
        style=request.POST.get("style") or None,
    )


def _extend(request: HttpRequest, caller: Caller, video: str, now: datetime) -> tuple[str, ...]:
    return lineage.extend(
        caller=caller,
        video=video,
        now=now,
        prompt=request.POST.get("prompt") or None,
        variant=request.POST.get("variant") or None,
        seconds=number("seconds", request.POST.get("seconds", "")),
    )


def _again(request: HttpRequest, caller: Caller, video: str, now: datetime) -> tuple[str, ...]:
    return lineage.again(caller=caller, video=video, now=now)


VERBS: dict[str, Verb] = {"final": _final, "extend": _extend, "again": _again}


@require_POST
@hidden
@requires(Action.RENDER)
def make(request: HttpRequest, caller: Caller, video: str, verb: str) -> HttpResponse:
    """Leads to the new clip; what is refused is told beside the form of this one."""
    act = VERBS.get(verb)
    if act is None:
        raise NotFound("not_found", "There is nothing at this address.")
    clip = clips.own_clip(caller, video)
    try:
        made = act(request, caller, video, clock.now())
    except DomainError as refusal:
        return clips.page(request, caller, clip, refused=(verb, refusal))
    return redirect("portal:clip", made[0])


@require_POST
@hidden
@requires(Action.RENDER)
def frame(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    """Keep one frame: to start a clip from, or as a picture of a character, new or old."""
    clip = clips.own_clip(caller, video)
    now, use = clock.now(), request.POST.get("use", "")
    try:
        second = _second(request.POST.get("second", ""))
        if use == "new":
            name = request.POST.get("name", "")
            characters.create_from_clip(caller=caller, name=name, video=video, second=second, now=now)
            return redirect("portal:characters")
        picture = references.from_clip(caller=caller, video=video, second=second, now=now)
        if use.startswith(CHARACTER):
            with references.kept_for(picture, caller=caller, now=now):
                _add(caller, clip.membership_id, use.removeprefix(CHARACTER), picture)
    except DomainError as refusal:
        return clips.page(request, caller, clip, refused=("frame", refusal))
    if use == "start":
        query = urlencode({"start": REFERENCE + picture, "prompt": clip.prompt})
        return redirect(f"{reverse('portal:studio')}?{query}")
    return redirect("portal:characters")


def _add(caller: Caller, membership_id: int, character: str, picture: str) -> None:
    for known in own_characters(membership_id):
        if known.public_id == character:
            pictures = [entry.public_id for entry in known.pictures]
            if picture not in pictures:
                characters.change(caller=caller, character=character, pictures=[*pictures, picture])
            return
    raise NotFound("not_found", "There is no such character.")


def _second(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        sentence = f"“{text[:20]}” is no time in seconds, such as 1.5."
        raise Invalid("invalid_second", sentence, fields={"second": sentence}) from None


@require_safe
@hidden
@requires(Action.READ_OWN)
def settings(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    """All that the clip was made with, as a file."""
    clip = clips.own_clip(caller, video)
    answer = JsonResponse(
        generation.settings(video, clip.membership_id),
        json_dumps_params={"indent": 2, "ensure_ascii": False},
    )
    answer["Content-Disposition"] = f'attachment; filename="{clip.code}.json"'
    return answer

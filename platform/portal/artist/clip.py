"""One clip: watch it, download it, stop it, delete it, what it is made of, and how sharing it stands."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import gate
from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import DomainError, NotFound, WrongState
from delivery import serve
from delivery.names import FILES
from generation import queries as generation
from generation.queries import ClipView
from generation.queries.characters import own_characters
from generation.services import requests
from portal.artist.family import tree
from portal.artist.finals import finals_of
from portal.artist.words import again, now_of
from portal.errors import status_of
from portal.gates import hidden, requires
from review import queries as review
from review.rules import REVIEW_HOURS, Wish
from review.services import shares


def own_clip(caller: Caller, video: str) -> ClipView:
    """The caller's clip, in the programme in which they are now. Raises NotFound."""
    clip = generation.own_clip(video, caller.membership.id) if caller.membership is not None else None
    if clip is None:
        raise NotFound("not_found", "There is no such clip, or it is not yours.")
    return clip


@require_safe
@hidden
@requires(Action.READ_OWN)
def show(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    return page(request, caller, own_clip(caller, video))


def page(
    request: HttpRequest,
    caller: Caller,
    clip: ClipView,
    *,
    wish: Wish | None = None,
    errors: dict[str, str] | None = None,
    refused: tuple[str, DomainError] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The clip's page; with a form that was refused, as it was typed: a wish, or a verb of lineage."""
    sent = request.POST if refused else {}
    context = _state(clip) | _making(caller, clip, sent if refused and refused[0] == "final" else {})
    share = context["share"]
    context |= {
        "wish": wish or share.wish or Wish(title="", show_prompt=True, show_variant=True),
        "errors": errors or {},
        "refused": {refused[0]: refused[1].sentence} if refused else {},
        "sent": sent,
        "may_share": gate.may(caller, Action.ASK_TO_SHARE),
        "mp4": clip.master.rendition("mp4") if clip.master else None,
        "review_hours": REVIEW_HOURS,
        "base_url": settings.BASE_URL,
    }
    return render(request, "studio/clip.html", context, status=status_of(refused[1]) if refused else status)


def _making(caller: Caller, clip: ClipView, sent: Mapping[str, str]) -> dict[str, Any]:
    """What it was made with, where it comes from, what can come from it; `sent` for a final. Eight statements."""
    variants = generation.usable_variants(caller.membership) if caller.membership else []
    own = next((variant for variant in variants if variant.slug == clip.variant_slug), None)
    family = generation.lineage(clip.public_id, clip.membership_id)
    return {
        "made_with": generation.settings(clip.public_id, clip.membership_id),
        "family": tree(family) if family is not None and len(family.clips) > 1 else [],
        "family_whole": family is None or family.whole,
        "finals": finals_of(caller.membership, variants, clip, sent) if clip.master else {},
        "again": again(clip, offered=own is not None),
        "goes_on": [variant for variant in variants if variant.images] if clip.master else [],
        "lengths": sorted(own.lengths) if own else [],
        "characters": own_characters(clip.membership_id) if clip.master else [],
        "may_render": gate.may(caller, Action.RENDER),
    }


def _state(clip: ClipView) -> dict[str, Any]:
    at = clock.now()
    share = review.share_state([clip.id], now=at)[clip.id]
    step = generation.steps_of([clip]).get(clip.public_id)
    return {"clip": clip, "now": now_of(clip, share, step, generation.waiting(clip), at), "share": share}


@require_safe
@hidden
@requires(Action.READ_OWN)
def state(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    """How a render stands, for a page that asks again and again. Ends by asking the browser to load the page anew."""
    clip = own_clip(caller, video)
    response = render(request, "studio/_state.html", _state(clip))
    if not clip.is_open:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@hidden
@requires(Action.CHANGE_OWN)
def stop(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    clip = own_clip(caller, video)
    with suppress(WrongState):  # it ended in the same moment; its page says how
        requests.cancel(video=video, membership_id=clip.membership_id, by=caller.actor, now=clock.now())
    to = request.POST.get("to")
    if to == "sheet":
        return redirect("portal:takes", clip.request)
    return redirect("portal:studio") if to == "studio" else redirect("portal:clip", video)


@require_http_methods(["GET", "HEAD", "POST"])
@hidden
@requires(Action.CHANGE_OWN)
def delete(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    """Asks first: the files cannot be brought back."""
    clip = own_clip(caller, video)
    if request.method != "POST":
        share = review.share_state([clip.id], now=clock.now())[clip.id]
        return render(request, "studio/delete.html", {"clip": clip, "share": share})
    shares.delete_clip(video=video, by=caller.actor, now=clock.now())
    return redirect("portal:studio")


@require_safe
@hidden
@requires(Action.READ_OWN)
def file(request: HttpRequest, caller: Caller, video: str, name: str) -> HttpResponseBase:
    if name not in FILES:
        raise NotFound("not_found", "There is nothing at this address.")
    return serve.own_file(caller, video, FILES[name], request, now=clock.now())

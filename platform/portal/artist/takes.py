"""The contact sheet of one request: its takes side by side, two of them larger, and what is done with them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import DomainError, Invalid, NotFound, WrongState
from generation import queries as generation
from generation.queries import ClipView
from generation.services import choices, requests
from generation.states import VideoState
from portal.artist import tiles
from portal.artist.clip import own_clip
from portal.artist.finals import finals_of
from portal.artist.words import Now, now_of
from portal.errors import status_of
from portal.gates import hidden, requires
from programme import queries as programme

CHOICES = {
    "star": choices.star,
    "unstar": choices.unstar,
    "discard": choices.discard,
    "restore": choices.restore,
}


@require_safe
@hidden
@requires(Action.READ_OWN)
def show(request: HttpRequest, caller: Caller, order: str) -> HttpResponse:
    """All takes of a request, discarded ones too. At most fourteen statements, however many takes there are."""
    return sheet(request, caller, _takes(caller, order))


def sheet(
    request: HttpRequest, caller: Caller, clips: list[ClipView], refusal: DomainError | None = None
) -> HttpResponse:
    now, first = clock.now(), clips[0]
    hung = tiles.tiles(clips, now)
    wanted = request.GET.getlist("compare")
    pair = [tile for tile in hung if tile.clip.public_id in wanted and tile.clip.master][:2]
    variants = generation.usable_variants(caller.membership) if caller.membership else []
    context: dict[str, Any] = {
        "order": first.request,
        "first": first,
        "tiles": hung,
        "stack": tiles.Stack(tuple(hung)),
        "wanted": wanted,
        "pair": pair if len(pair) == 2 else [],
        "one_alone": len(wanted) == 1,
        "up_next": _up_next(hung, now),
        "open": [tile for tile in hung if tile.clip.is_open],
        "finals": finals_of(caller.membership, variants, first, {}),
        "cost": sum(clip.cost for clip in clips if clip.is_open or clip.state == "completed"),
        "quota": programme.quota_today(first.membership_id, now),
        "refusal": refusal.sentence if refusal else "",
    }
    return render(request, "studio/takes.html", context, status=status_of(refusal) if refusal else 200)


def _up_next(hung: list[tiles.Tile], now: datetime) -> tuple[int, Now] | None:
    """The first take that waits, and its place in the queue. One statement, none where nothing waits."""
    waiting = next((tile for tile in hung if tile.clip.state == VideoState.QUEUED), None)
    if waiting is None:
        return None
    place = generation.waiting(waiting.clip)
    return waiting.clip.take, now_of(waiting.clip, waiting.share, None, place, now)


def _takes(caller: Caller, order: str) -> list[ClipView]:
    """The caller's takes, in the programme in which they are now. Raises NotFound."""
    found = generation.takes(order, caller.membership.id) if caller.membership is not None else []
    if not found:
        raise NotFound("not_found", "There is no such request, or it is not yours.")
    return found


@require_POST
@hidden
@requires(Action.CHANGE_OWN)
def stop(request: HttpRequest, caller: Caller, order: str) -> HttpResponse:
    """Every take that has not ended."""
    first = _takes(caller, order)[0]
    with suppress(WrongState):  # they ended in the same moment
        requests.cancel_request(
            request=order, membership_id=first.membership_id, by=caller.actor, now=clock.now()
        )
    return redirect("portal:takes", order)


@require_POST
@hidden
@requires(Action.CHANGE_OWN)
def choose(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    """Star, unstar, discard or restore one clip; the tile alone where a script asks, else the page anew."""
    clip = own_clip(caller, video)
    act = CHOICES.get(request.POST.get("choice", ""))
    if act is None:
        raise Invalid("unknown_choice", "A clip is starred, unstarred, discarded or restored.")
    act(video=video, membership_id=clip.membership_id, by=caller.actor, now=clock.now())
    if request.headers.get("HX-Request"):
        return tiles.piece(request, own_clip(caller, video), on_sheet=True)
    if request.POST.get("to") == "sheet":
        return redirect("portal:takes", clip.request)
    return redirect("portal:clip", video)

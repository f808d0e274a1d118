"""Clips as they hang: one by one, and the takes of one request as a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.caller import Caller
from core import clock
from core.errors import NotFound
from generation import queries as generation
from generation.queries import ClipView
from portal.artist.family import FROM
from portal.artist.words import Now, now_of
from portal.gates import hidden, signed_in
from review import queries as review
from review.queries import ShareState

IN_A_STACK = 4
"""Pictures of a stack that are seen on the wall."""


@dataclass(frozen=True, slots=True)
class Tile:
    clip: ClipView
    title: str
    now: Now
    share: ShareState

    @property
    def how(self) -> str:
        """How it comes from another clip."""
        return FROM[self.clip.relation] if self.clip.relation else ""


@dataclass(frozen=True, slots=True)
class Stack:
    """The takes of one request. `front` are those that are seen: the starred one, else up to four."""

    tiles: tuple[Tile, ...]

    @property
    def first(self) -> ClipView:
        return self.tiles[0].clip

    @property
    def front(self) -> tuple[Tile, ...]:
        made = [tile for tile in self.tiles if tile.clip.master]
        starred = [tile for tile in made if tile.clip.starred]
        return tuple(starred[:1] or made[:IN_A_STACK])

    @property
    def starred(self) -> int:
        return sum(tile.clip.starred for tile in self.tiles)

    @property
    def waiting(self) -> int:
        return sum(tile.clip.is_open for tile in self.tiles)

    @property
    def next(self) -> Tile | None:
        """The first that renders or waits."""
        return next((tile for tile in self.tiles if tile.clip.is_open), None)

    @property
    def failed(self) -> int:
        return sum(tile.clip.state == "failed" for tile in self.tiles)

    @property
    def ready(self) -> int:
        return sum(tile.clip.master is not None for tile in self.tiles)


def tiles(clips: Sequence[ClipView], now: datetime) -> list[Tile]:
    """Clips with their words; what waits says only that it waits, its place is on its own page. Two statements."""
    shares = review.share_state([clip.id for clip in clips], now=now)
    steps = generation.steps_of(clips)
    made = []
    for clip in clips:
        share = shares[clip.id]
        title = share.wish.title if share.wish is not None else ""
        made.append(Tile(clip, title, now_of(clip, share, steps.get(clip.public_id), None, now), share))
    return made


def stacks(groups: Sequence[Sequence[ClipView]], now: datetime) -> list[Stack]:
    """Two statements, however many."""
    made = {tile.clip.id: tile for tile in tiles([clip for group in groups for clip in group], now)}
    return [Stack(tuple(made[clip.id] for clip in group)) for group in groups]


@require_safe
@hidden
@signed_in
def tile(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    """One tile, for a page that waits for it: as it hangs on the wall, or on the sheet of its takes."""
    clip = generation.own_clip(video, caller.membership.id) if caller.membership is not None else None
    if clip is None:
        raise NotFound("not_found", "There is no such clip.")
    return piece(request, clip, on_sheet=request.GET.get("on") == "sheet")


def piece(request: HttpRequest, clip: ClipView, *, on_sheet: bool) -> HttpResponse:
    """A tile alone, to be swapped into its page."""
    template = "studio/_take.html" if on_sheet else "studio/_tile.html"
    return render(request, template, {"tile": tiles([clip], clock.now())[0]})


@require_safe
@hidden
@signed_in
def stack(request: HttpRequest, caller: Caller, order: str) -> HttpResponse:
    """One stack of the wall, for a page that waits for it."""
    takes = generation.takes(order, caller.membership.id) if caller.membership is not None else []
    shown = [clip for clip in takes if not clip.discarded]
    if not shown:
        raise NotFound("not_found", "There is no such request.")
    return render(request, "studio/_stack.html", {"stack": stacks([shown], clock.now())[0]})

"""The studio: what should we see, and what has been seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from access.caller import Caller
from core import clock
from core.errors import DomainError, Invalid, NotFound
from generation import queries as generation
from generation.queries import ClipView, VariantView
from generation.rules import Order
from generation.services import requests
from portal.artist.words import Now, about, now_of
from portal.errors import status_of
from portal.gates import hidden, needs_welcome, signed_in
from programme import queries as programme
from programme.queries import MembershipView
from review import queries as review
from review.queries import ShareState

PAGE = 24
FIELDS = ("prompt", "variant", "seconds", "size", "seed")
BEGINNINGS = (
    "a red boat drifting left over the sea",
    "a white moon rising in the night sky",
    "a paper lantern floating up over the city at dusk",
    "an orange fish circling in a kelp forest",
)


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was typed: it comes back as it was when something in it cannot be used."""

    prompt: str = ""
    variant: str = ""
    seconds: str = ""
    size: str = ""
    seed: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tile:
    clip: ClipView
    title: str
    now: Now
    share: ShareState


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """GET: at most sixteen statements, the session among them, however many clips hang. POST: one order."""
    if caller.membership is None:
        return render(request, "studio/no_membership.html")
    if needs_welcome(caller):
        return redirect("portal:welcome")
    if request.method != "POST":
        return _page(request, caller.membership, Typed(prompt=request.GET.get("prompt", "")[:2000]))
    prompt, variant, seconds, size, seed = (request.POST.get(name, "") for name in FIELDS)
    typed = Typed(prompt, variant, seconds, size, seed)
    try:
        video, *_ = requests.submit(caller=caller, order=_order(typed), now=clock.now())
    except DomainError as refusal:
        return _page(request, caller.membership, typed, refusal)
    return redirect("portal:clip", video)


def _order(typed: Typed) -> Order:
    return Order(
        prompt=typed.prompt,
        variant=typed.variant or None,
        seconds=_number("seconds", typed.seconds),
        size=typed.size or None,
        seed=_number("seed", typed.seed),
    )


def _number(name: str, text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        sentence = f"“{text[:20]}” is not a whole number."
        raise Invalid("invalid_request", sentence, fields={name: sentence})
    return int(text)


def _page(
    request: HttpRequest, member: MembershipView, typed: Typed, refusal: DomainError | None = None
) -> HttpResponse:
    now = clock.now()
    found = _wall(member.id, request.GET.get("after"), now)
    variants = generation.usable_variants(member)
    errors = dict(refusal.fields) if isinstance(refusal, Invalid) else {}
    context: dict[str, Any] = {
        "member": member,
        "members": programme.memberships_of(member.user_id),
        "typed": typed,
        "errors": errors,
        "refusal": refusal.sentence if refusal is not None and not errors else "",
        "variants": variants,
        "lengths": sorted({n for variant in variants for n in variant.lengths}),
        "sizes": _sizes(variants),
        "default": variants[0] if variants else None,
        "quota": programme.quota_today(member.id, now),
        "ahead": _ahead(variants),
        "tiles": found[:PAGE],
        "next_after": found[PAGE - 1].clip.public_id if len(found) > PAGE else None,
        "later": "after" in request.GET,
        "beginnings": BEGINNINGS if variants and variants[0].checkpoint == "builtin" else (),
    }
    return render(request, "studio/studio.html", context, status=status_of(refusal) if refusal else 200)


def _wall(membership_id: int, after: str | None, now: datetime) -> list[Tile]:
    clips = generation.clips_of(membership_id, limit=PAGE + 1, after=after)
    if clips is None:
        raise NotFound("not_found", "That page of clips is not there any more.")
    return tiles(clips, now)


def tiles(clips: list[ClipView], now: datetime) -> list[Tile]:
    """Clips with their words; what waits says only that it waits, its place is on its own page."""
    shares = review.share_state([clip.id for clip in clips], now=now)
    steps = generation.steps_of(clips)
    made = []
    for clip in clips:
        share = shares[clip.id]
        title = share.wish.title if share.wish is not None else ""
        made.append(Tile(clip, title, now_of(clip, share, steps.get(clip.public_id), None, now), share))
    return made


def _sizes(variants: list[VariantView]) -> list[tuple[str, str]]:
    """Each size that some variant makes, as it is sent and as it is read."""
    found = dict.fromkeys(size for variant in variants for size in variant.sizes)
    return [(size, size.replace("x", " × ")) for size in found]


def _ahead(variants: list[VariantView]) -> str:
    if not variants:
        return ""
    waiting = generation.ahead(variants[0].id)
    others = waiting.position - 1
    if others == 0:
        return "Nobody ahead of you."
    start = f": starts in {about(waiting.seconds)}" if waiting.seconds is not None else ""
    return f"{others} ahead of you{start}."


@require_safe
@hidden
@signed_in
def tile(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    """One tile, for a page that waits for it."""
    clip = generation.own_clip(video, caller.membership.id) if caller.membership is not None else None
    if clip is None:
        raise NotFound("not_found", "There is no such clip.")
    return render(request, "studio/_tile.html", {"tile": tiles([clip], clock.now())[0]})

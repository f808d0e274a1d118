"""The studio: what should we see, and what has been seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from access.caller import Caller
from core import clock
from core.errors import DomainError, Invalid, NotFound
from generation import queries as generation
from generation.queries import VariantView, worlds
from generation.queries.clips import Part
from generation.rules import order_from_settings
from generation.services import requests
from portal.artist import ordering
from portal.artist.ordering import Typed
from portal.artist.tiles import Stack, stacks
from portal.artist.words import about
from portal.errors import status_of
from portal.gates import needs_welcome, signed_in
from programme import queries as programme
from programme.queries import MembershipView

PAGE = 24
"""Requests on one page of the wall."""
PARTS = (("wall", "All"), ("starred", "Starred"), ("discarded", "Discarded"))
BEGINNINGS = (
    "a red balloon rising over the dunes",
    "a white moon growing in the night sky",
    "a paper lantern floating up over the city at dusk",
    "an orange fish rising in a kelp forest",
    "a small purple balloon rising, on the left, over a meadow",
)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """GET: at most twenty-two statements, the session among them, however many clips hang. POST: one order."""
    if caller.membership is None:
        return render(request, "studio/no_membership.html")
    if needs_welcome(caller):
        return redirect("portal:welcome")
    if request.method != "POST":
        return _page(request, caller, caller.membership, _asked(request, caller.membership))
    form, now = ordering.typed(request.POST), clock.now()
    try:
        order = ordering.order_of(form)
        form = ordering.with_upload(request, caller, form, now)
        made = requests.submit(caller=caller, order=ordering.order_of(form), now=now)
    except DomainError as refusal:
        return _page(request, caller, caller.membership, form, refusal)
    if order.takes == 1:
        return redirect("portal:clip", made[0])
    clip = generation.own_clip(made[0], caller.membership.id)
    return redirect("portal:takes", clip.request) if clip else redirect("portal:studio")


def _asked(request: HttpRequest, member: MembershipView) -> Typed:
    """The form as an address fills it: a prompt, a style, a picture to start from; or a clip to remix."""
    remix = request.GET.get("remix")
    if remix is None:
        return ordering.typed(request.GET)
    settings = generation.settings(remix, member.id)
    if settings is None:
        raise NotFound("not_found", "There is no such clip, or it is not yours.")
    return ordering.as_remix(remix, order_from_settings(settings))


def _page(
    request: HttpRequest,
    caller: Caller,
    member: MembershipView,
    form: Typed,
    refusal: DomainError | None = None,
) -> HttpResponse:
    now = clock.now()
    after = request.GET.get("after")
    asked = request.GET.get("show")
    part = asked if asked in {"starred", "discarded"} else "wall"
    found = _wall(member.id, after, cast("Part", part), now)
    variants = generation.usable_variants(member)
    errors = dict(refusal.fields) if isinstance(refusal, Invalid) else {}
    context: dict[str, Any] = ordering.form_context(member, form, variants) | {
        "member": member,
        "members": programme.memberships_of(member.user_id),
        "errors": errors,
        "refusal": refusal.sentence if refusal is not None and not errors else "",
        "quota": programme.quota_today(member.id, now),
        "ahead": _ahead(variants, member.id),
        "part": part,
        "parts": PARTS,
        "stacks": found[:PAGE],
        "next_after": found[PAGE - 1].first.request if len(found) > PAGE else None,
        "later": after is not None,
        "beginnings": BEGINNINGS,
        "world": worlds.builtin(),
    }
    return render(request, "studio/studio.html", context, status=status_of(refusal) if refusal else 200)


def _wall(membership_id: int, after: str | None, part: Part, now: datetime) -> list[Stack]:
    groups = generation.stacks_of(membership_id, limit=PAGE + 1, after=after, part=part)
    if groups is None:
        raise NotFound("not_found", "That page of clips is not there any more.")
    return stacks(groups, now)


def _ahead(variants: list[VariantView], membership_id: int) -> str:
    if not variants:
        return ""
    waiting = generation.ahead(variants[0].id, membership_id)
    others = waiting.position - 1
    if others == 0:
        return "Nobody ahead of you."
    start = f": starts in {about(waiting.seconds)}" if waiting.seconds is not None else ""
    return f"{others} ahead of you{start}."

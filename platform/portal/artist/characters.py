"""Characters, and the pictures that they are made of: frames of own clips, or pictures that were sent."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import gate
from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import DomainError, Invalid, NotFound
from delivery import serve
from generation import queries as generation
from generation.queries.characters import own_character, own_characters
from generation.queries.references import own_references
from generation.services import characters, references
from portal.errors import status_of
from portal.gates import hidden, requires

PAGE = 48


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.READ_OWN)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Characters by name, pictures newest first; POST makes a character. At most eight statements."""
    if request.method != "POST":
        return _page(request, caller)
    try:
        characters.create(
            caller=caller,
            name=request.POST.get("name", ""),
            pictures=request.POST.getlist("pictures"),
            now=clock.now(),
        )
    except DomainError as refusal:
        return _page(request, caller, refusal)
    return redirect("portal:characters")


def _page(request: HttpRequest, caller: Caller, refusal: DomainError | None = None) -> HttpResponse:
    member = caller.membership
    after = request.GET.get("after")
    found = own_references(member.id, limit=PAGE + 1, after=after) if member else []
    if found is None:
        raise NotFound("not_found", "That page of pictures is not there any more.")
    able = [one.name for one in generation.usable_variants(member) if one.images] if member else []
    context: dict[str, Any] = {
        "characters": own_characters(member.id) if member else [],
        "pictures": found[:PAGE],
        "next_after": found[PAGE - 1].public_id if len(found) > PAGE else None,
        "later": after is not None,
        "able": able,
        "name": request.POST.get("name", "") if refusal else "",
        "ticked": request.POST.getlist("pictures") if refusal else [],
        "errors": _errors(refusal),
        "may_make": gate.may(caller, Action.RENDER),
    }
    return render(request, "studio/characters.html", context, status=status_of(refusal) if refusal else 200)


def _errors(refusal: DomainError | None) -> dict[str, str]:
    if refusal is None:
        return {}
    named = dict(refusal.fields) if isinstance(refusal, Invalid) else {}
    return named or {str(refusal.extra.get("field", "name")): refusal.sentence}


@require_http_methods(["GET", "HEAD", "POST"])
@hidden
@requires(Action.CHANGE_OWN)
def edit(request: HttpRequest, caller: Caller, character: str) -> HttpResponse:
    """Another name, fewer pictures, or another one first."""
    found = own_character(character, caller.membership.id) if caller.membership else None
    if found is None:
        raise NotFound("not_found", "There is no such character.")
    context: dict[str, Any] = {"character": found, "name": found.name, "errors": {}}
    if request.method != "POST":
        return render(request, "studio/character.html", context)
    kept = request.POST.getlist("pictures")
    first = request.POST.get("first", "")
    try:
        characters.change(
            caller=caller,
            character=character,
            name=request.POST.get("name", ""),
            pictures=sorted(kept, key=lambda picture: picture != first),
        )
    except DomainError as refusal:
        context |= {"name": request.POST.get("name", ""), "errors": _errors(refusal)}
        return render(request, "studio/character.html", context, status=status_of(refusal))
    return redirect("portal:characters")


@require_POST
@hidden
@requires(Action.CHANGE_OWN)
def remove(request: HttpRequest, caller: Caller, character: str) -> HttpResponse:
    characters.remove(caller=caller, character=character, now=clock.now())
    return redirect("portal:characters")


@require_safe
@hidden
@requires(Action.READ_OWN)
def picture(request: HttpRequest, caller: Caller, reference: str) -> HttpResponseBase:
    return serve.own_reference(caller, reference, request, now=clock.now())


@require_POST
@hidden
@requires(Action.CHANGE_OWN)
def remove_picture(request: HttpRequest, caller: Caller, reference: str) -> HttpResponse:
    try:
        references.remove(caller=caller, reference=reference, now=clock.now())
    except DomainError as refusal:
        messages.info(request, refusal.sentence)
    return redirect("portal:characters")

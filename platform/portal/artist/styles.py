"""Styles: the programme's to use, and a member's own to make, change and retire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from access import gate
from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import DomainError, Invalid, NotFound
from generation import queries as generation
from generation.look_rules import PLACE, StyleSpec
from generation.queries import HitRate
from generation.queries.styles import StyleView, own_style, usable, usable_adapters
from generation.services import styles
from portal.artist.ordering import style_choices
from portal.errors import status_of
from portal.gates import requires

FIELDS = ("name", "description", "template", "negative_prompt", "guidance", "adapter", "adapter_weight")
NEW = dict.fromkeys(FIELDS, "") | {"template": PLACE, "adapter_weight": "1"}


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was typed, and what is wrong with it."""

    values: dict[str, str]
    refusal: DomainError | None = None

    @property
    def errors(self) -> dict[str, str]:
        if isinstance(self.refusal, Invalid) and self.refusal.fields:
            return dict(self.refusal.fields)
        if self.refusal is None:
            return {}
        return {str(self.refusal.extra.get("field", "name")): self.refusal.sentence}

    @property
    def status(self) -> int:
        return status_of(self.refusal) if self.refusal else 200


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.READ_OWN)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The styles and how often they gave something that was kept; POST makes one. At most eight statements."""
    if request.method != "POST":
        return _page(request, caller, Typed(dict(NEW)))
    values = _values(request)
    try:
        styles.create(caller=caller, spec=_spec(values), now=clock.now())
    except DomainError as refusal:
        return _page(request, caller, Typed(values, refusal))
    return redirect("portal:styles")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.CHANGE_OWN)
def edit(request: HttpRequest, caller: Caller, style: str) -> HttpResponse:
    """One own style. Clips that were made in it keep what they were made with."""
    found = own_style(style, caller.membership.id) if caller.membership is not None else None
    if found is None:
        raise NotFound("not_found", "There is no such style, or it is not yours to change.")
    if request.method != "POST":
        return _one(request, caller, found, Typed(_values_of(found)))
    values = _values(request)
    try:
        styles.change(caller=caller, style=style, spec=_spec(values), now=clock.now())
    except DomainError as refusal:
        return _one(request, caller, found, Typed(values, refusal))
    return redirect("portal:styles")


@require_POST
@requires(Action.CHANGE_OWN)
def retire(request: HttpRequest, caller: Caller, style: str) -> HttpResponse:
    styles.retire(caller=caller, style=style, now=clock.now())
    return redirect("portal:styles")


def _page(request: HttpRequest, caller: Caller, form: Typed) -> HttpResponse:
    member = caller.membership
    variants = generation.usable_variants(member) if member else []
    rates = generation.hit_rates(member.id) if member else None
    offered = style_choices(usable(member), variants, rates.styles if rates else ()) if member else []
    context: dict[str, Any] = {
        "own": [choice for choice in offered if choice.style.own],
        "house": [choice for choice in offered if not choice.style.own],
        "rates": _named(rates.variants, rates.styles) if rates else (),
        "adapters": usable_adapters(member) if member else [],
        "form": form,
        "may_make": gate.may(caller, Action.RENDER),
        "place": PLACE,
    }
    return render(request, "studio/styles.html", context, status=form.status)


def _named(variants: tuple[HitRate, ...], found: tuple[HitRate, ...]) -> list[tuple[str, list[HitRate]]]:
    """Tables of the page: by variant, and by style where any was used."""
    tables = [("By variant", list(variants))]
    if any(rate.key for rate in found):
        tables.append(("By style", list(found)))
    return [(title, rows) for title, rows in tables if rows]


def _one(request: HttpRequest, caller: Caller, style: StyleView, form: Typed) -> HttpResponse:
    context = {
        "style": style,
        "form": form,
        "adapters": usable_adapters(caller.membership) if caller.membership else [],
        "place": PLACE,
    }
    return render(request, "studio/style.html", context, status=form.status)


def _values(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in FIELDS}


def _values_of(style: StyleView) -> dict[str, str]:
    return {
        "name": style.name,
        "description": style.description,
        "template": style.template,
        "negative_prompt": style.negative_prompt,
        "guidance": "" if style.guidance is None else f"{style.guidance:g}",
        "adapter": style.adapter or "",
        "adapter_weight": f"{style.adapter_weight:g}",
    }


def _spec(values: dict[str, str]) -> StyleSpec:
    """Raises Invalid naming what is no number."""
    numbers: dict[str, float | None] = {}
    faults = {}
    for name in ("guidance", "adapter_weight"):
        text = values[name].strip().replace(",", ".")
        try:
            numbers[name] = float(text) if text else None
        except ValueError:
            faults[name] = f"“{text[:20]}” is not a number."
    if faults:
        raise Invalid("invalid_style", " ".join(faults.values()), fields=faults)
    weight = numbers["adapter_weight"]
    return StyleSpec(
        name=values["name"],
        description=values["description"],
        template=values["template"],
        negative_prompt=values["negative_prompt"],
        guidance=numbers["guidance"],
        adapter=values["adapter"] or None,
        adapter_weight=1.0 if weight is None else weight,
    )

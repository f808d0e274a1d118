"""Styles: the programme's to use; a member's own, and the LoRA files for them, to make, change and retire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from access import gate
from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import DomainError, Invalid, NotFound
from generation import queries as generation
from generation.look_rules import MEMBERS_ADAPTER_BYTES, MOST_ADAPTERS, PLACE, StyleSpec
from generation.queries import HitRate, VariantView
from generation.queries.styles import AdapterView, StyleView, own_style, own_styles, usable, usable_adapters
from generation.services import adapters, styles
from portal.artist.ordering import StyleChoice, style_choices
from portal.errors import status_of
from portal.gates import requires

FIELDS = ("name", "description", "template", "negative_prompt", "guidance", "adapter", "adapter_weight")
NEW = dict.fromkeys(FIELDS, "") | {"template": PLACE, "adapter_weight": "1"}
NEW_FILE = {"file_name": "", "variant": ""}


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was typed, and what is wrong with it; `at` is where a refusal that names no field is shown."""

    values: dict[str, str]
    refusal: DomainError | None = None
    at: str = "name"

    @property
    def errors(self) -> dict[str, str]:
        if isinstance(self.refusal, Invalid) and self.refusal.fields:
            return dict(self.refusal.fields)
        if self.refusal is None:
            return {}
        return {str(self.refusal.extra.get("field", self.at)): self.refusal.sentence}

    @property
    def status(self) -> int:
        return status_of(self.refusal) if self.refusal else 200


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.READ_OWN)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The styles and how often they gave something that was kept; POST makes one. At most nine statements."""
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


@require_POST
@requires(Action.RENDER)
def adapter_add(request: HttpRequest, caller: Caller) -> HttpResponse:
    """A LoRA file for one's own styles, checked before it is kept."""
    values = {name: request.POST.get(name, "") for name in NEW_FILE}
    file = request.FILES.get("file")
    try:
        if file is None:
            sentence = "Choose a safetensors file."
            raise Invalid("no_file", sentence, fields={"file": sentence})
        adapters.add(
            caller=caller,
            name=values["file_name"],
            variant=values["variant"],
            file=cast("BinaryIO", file),
            now=clock.now(),
        )
    except DomainError as refusal:
        return _page(request, caller, Typed(dict(NEW)), Typed(values, refusal, at="file"))
    messages.info(request, f"“{values['file_name'].strip()}” is kept. Your styles can load it now.")
    return redirect("portal:styles")


@require_POST
@requires(Action.CHANGE_OWN)
def adapter_retire(request: HttpRequest, caller: Caller, adapter: str) -> HttpResponse:
    adapters.retire(caller=caller, adapter=adapter, now=clock.now())
    messages.info(request, "The file is retired: what waits is still rendered, nothing new loads it.")
    return redirect("portal:styles")


def _page(request: HttpRequest, caller: Caller, form: Typed, file: Typed | None = None) -> HttpResponse:
    member = caller.membership
    variants = generation.usable_variants(member) if member else []
    rates = generation.hit_rates(member.id) if member else None
    offered = style_choices(usable(member), variants, rates.styles if rates else ()) if member else []
    loadable = usable_adapters(member) if member else []
    file = file or Typed(dict(NEW_FILE))
    context: dict[str, Any] = {
        "own": [choice for choice in offered if choice.style.own],
        "house": [choice for choice in offered if not choice.style.own],
        "rates": _named(rates.variants, rates.styles) if rates else (),
        "lost": _lost(own_styles(member.id), offered) if member else [],
        "adapters": loadable,
        "files": [(adapter, _names(adapter, variants)) for adapter in loadable if adapter.own],
        "loaders": [variant for variant in variants if variant.adapters],
        "most_files": MOST_ADAPTERS,
        "most_bytes": MEMBERS_ADAPTER_BYTES,
        "form": form,
        "file": file,
        "may_make": gate.may(caller, Action.RENDER),
        "place": PLACE,
    }
    return render(request, "studio/styles.html", context, status=max(form.status, file.status))


def _names(adapter: AdapterView, variants: list[VariantView]) -> str:
    """What loads the file here."""
    fits = [one.name for one in variants if one.adapters and one.checkpoint == adapter.checkpoint]
    return ", ".join(fits) or "a model that is not offered now"


def _lost(own: list[StyleView], offered: list[StyleChoice]) -> list[StyleView]:
    """Own styles that nothing here can render: the file was retired, or was made for a model that is gone."""
    shown = {choice.style.id for choice in offered}
    return [style for style in own if style.id not in shown]


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

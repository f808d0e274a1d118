"""Rendering: what waits, who renders, what was set aside, and the styles that the programme offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import DomainError, Invalid
from generation import queries as generation
from generation.look_rules import StyleSpec
from generation.queries.styles import adapters_of, styles_of
from generation.queries.workers import WorkerView, lanes, set_aside, workers
from generation.services import adapters, styles
from portal.artist.words import about
from portal.gates import requires
from portal.office.forms import sentences
from portal.office.programme import programme_of
from programme import queries as programme
from programme.queries import ProgrammeView

STYLE = ("name", "description", "template", "negative_prompt", "guidance", "adapter", "adapter_weight")
_NEW_STYLE = dict.fromkeys(STYLE, "") | {"template": "{prompt}", "adapter_weight": "1", "cohorts": ()}
_NEW_ADAPTER = {"adapter_name": "", "variant": "", "cohorts": ()}


@dataclass(frozen=True, slots=True)
class LaneRow:
    queue: str
    variants: str
    queued: int
    running: int
    workers: int
    oldest: str


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A checkpoint in a worker's memory, as the worker measured it."""

    checkpoint: str
    memory: str
    load: str
    runs: str
    takes: str


@dataclass(frozen=True, slots=True)
class WorkerRow:
    worker: WorkerView
    held: tuple[HeldRow, ...]

    @property
    def word(self) -> tuple[str, str]:
        if self.worker.stopped_at:
            return "Stopped", "is-private"
        if not self.worker.alive:
            return "Not seen", "is-failed"
        return ("Rendering", "is-rendering") if self.worker.video else ("Ready", "is-ok")


@require_safe
@requires(Action.OPERATE)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """What waits and who renders it; the queues and workers are the house's, the variants the programme's."""
    own, now = programme_of(caller), clock.now()
    variants = generation.variants(own.id)
    queues: dict[str, list[str]] = {}
    for variant in variants:
        queues.setdefault(variant.queue, []).append(variant.name)
    rows = [
        LaneRow(
            queue=lane.queue,
            variants=", ".join(queues.get(lane.queue, [])),
            queued=lane.queued,
            running=lane.running,
            workers=lane.workers,
            oldest=about(round((now - lane.waiting_since).total_seconds())) if lane.waiting_since else "",
        )
        for lane in lanes(now)
    ]
    context = {
        "programme": own,
        "lanes": rows,
        "workers": [WorkerRow(row, tuple(_held(row))) for row in workers(now)],
        "set_aside": set_aside(),
        "variants": variants,
        "unserved": [row.queue for row in rows if not row.workers and (row.queued or row.variants)],
    }
    return render(request, "office/rendering.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.OPERATE)
def styles_page(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The programme's styles and LoRA files; a new style."""
    own = programme_of(caller)
    if request.method != "POST":
        return _styles(request, own)
    typed: dict[str, Any] = {key: request.POST.get(key, "") for key in STYLE}
    typed["cohorts"] = tuple(request.POST.getlist("cohorts"))
    try:
        styles.create_for_programme(programme=own, spec=_spec(typed), by=caller.actor, now=clock.now())
    except DomainError as refusal:
        return _styles(request, own, style=typed, style_errors=sentences(refusal, "name"))
    messages.info(request, f"The style “{typed['name'].strip()}” is offered from now on.")
    return redirect("portal:office:styles")


@require_POST
@requires(Action.OPERATE)
def adapter_add(request: HttpRequest, caller: Caller) -> HttpResponse:
    """A LoRA file for one of the programme's models, checked before it is kept."""
    own = programme_of(caller)
    typed: dict[str, Any] = {key: request.POST.get(key, "") for key in _NEW_ADAPTER}
    typed["cohorts"] = tuple(request.POST.getlist("cohorts"))
    file = request.FILES.get("file")
    if file is None:
        return _styles(request, own, adapter=typed, adapter_errors={"file": "Choose a safetensors file."})
    try:
        adapters.add_for_programme(
            programme=own,
            name=typed["adapter_name"],
            variant=typed["variant"],
            file=cast("BinaryIO", file),
            by=caller.actor,
            now=clock.now(),
            cohorts=typed["cohorts"],
        )
    except DomainError as refusal:
        return _styles(request, own, adapter=typed, adapter_errors=sentences(refusal, "file"))
    messages.info(request, f"“{typed['adapter_name'].strip()}” is kept. Styles can use it now.")
    return redirect("portal:office:styles")


@require_POST
@requires(Action.OPERATE)
def style_retire(request: HttpRequest, caller: Caller, style: str) -> HttpResponse:
    own = programme_of(caller)
    styles.retire_for_programme(programme=own, style=style, by=caller.actor, now=clock.now())
    messages.info(request, "The style is retired. Clips that were made in it keep what they were made with.")
    return redirect("portal:office:styles")


@require_POST
@requires(Action.OPERATE)
def adapter_retire(request: HttpRequest, caller: Caller, adapter: str) -> HttpResponse:
    own = programme_of(caller)
    adapters.retire_for_programme(programme=own, adapter=adapter, by=caller.actor, now=clock.now())
    messages.info(request, "The file is retired: what waits is still rendered, nothing new loads it.")
    return redirect("portal:office:styles")


def _styles(request: HttpRequest, own: ProgrammeView, **context: Any) -> HttpResponse:
    failed = bool(context)
    context = {
        "programme": own,
        "styles": styles_of(own.id),
        "adapters": adapters_of(own.id),
        "variants": [variant for variant in generation.variants(own.id) if variant.adapters],
        "cohorts": programme.cohorts(own.id),
        "style": _NEW_STYLE,
        "adapter": _NEW_ADAPTER,
    } | context
    return render(request, "office/styles.html", context, status=422 if failed else 200)


def _spec(typed: dict[str, Any]) -> StyleSpec:
    weight = _number("adapter_weight", typed["adapter_weight"])
    return StyleSpec(
        name=typed["name"],
        description=typed["description"],
        template=typed["template"],
        negative_prompt=typed["negative_prompt"],
        guidance=_number("guidance", typed["guidance"]),
        adapter=typed["adapter"] or None,
        adapter_weight=1.0 if weight is None else weight,
        cohorts=typed["cohorts"],
    )


def _number(field: str, typed: str) -> float | None:
    """None for nothing. Raises Invalid, naming the field."""
    if not typed.strip():
        return None
    try:
        return float(typed)
    except ValueError:
        sentence = "Write a number, such as 1.5."
        raise Invalid("not_a_number", sentence, fields={field: sentence}) from None


def _held(row: WorkerView) -> Iterable[HeldRow]:
    for held in row.held:
        yield HeldRow(
            checkpoint=str(held.get("checkpoint", "")),
            memory=f"{held.get('memory', 0) / 1024**2:,.0f} MB",
            load=f"{held.get('load_seconds', 0):.1f} s to load, {held.get('warm_seconds', 0):.1f} s to warm",
            runs=_runs(held),
            takes=_takes(held),
        )


def _runs(held: dict[str, Any]) -> str:
    """Its number format, and the rung of the memory ladder where it had to save."""
    rung = str(held.get("rung", ""))
    saves = "" if rung in ("", "none") else f"saves memory by {rung}"
    return ", ".join(filter(None, (str(held.get("dtype", "")), saves)))


def _takes(held: dict[str, Any]) -> str:
    """What it can be given."""
    at_once = held.get("at_once", 1)
    able = [word for word, key in (("pictures", "images"), ("LoRA", "adapters")) if held.get(key)]
    return f"{at_once} {'take' if at_once == 1 else 'takes'} at once" + "".join(f", {word}" for word in able)

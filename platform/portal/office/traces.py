"""Tracing: a file that turned up somewhere, and which copy it descends from."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import queries as access
from access.caller import Caller
from access.gate import Action
from accounts import queries as accounts
from core import clock
from core.errors import DomainError, Invalid, NotFound
from delivery import serve
from generation.queries import traces as queries
from generation.queries.traces import TraceView
from generation.services import traces
from generation.states import EVERYBODY, TraceState
from portal.gates import requires
from portal.office.forms import sentences
from portal.office.programme import programme_of
from portal.paging import page
from programme.queries import ProgrammeView
from roles.roles import Permission

STATES = {
    TraceState.WAITING: ("Waiting", "is-queued"),
    TraceState.RUNNING: ("Looking", "is-rendering"),
    TraceState.DONE: ("Done", "is-ok"),
    TraceState.REFUSED: ("Not readable", "is-refused"),
    TraceState.FAILED: ("Failed", "is-failed"),
    TraceState.CANCELLED: ("Stopped", "is-revoked"),
}
PICTURES = {
    "residual": "What is left of one frame of the file when the picture is taken away",
    "peak": "How strongly the key answers at each place: one peak, or none",
}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.TRACE)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The files that were looked into, and the form for another."""
    if request.method != "POST":
        return _list(request, caller)
    file, note = request.FILES.get("file"), request.POST.get("note", "")
    try:
        if file is None:
            raise Invalid("invalid_request", "", fields={"file": "Choose a video, a GIF or a picture."})
        made = traces.ask(
            caller=caller,
            programme=_programme(caller),
            file=cast("BinaryIO", file),
            name=file.name or "",
            note=note,
            now=clock.now(),
        )
    except Invalid as refusal:
        return _list(request, caller, note=note, errors=sentences(refusal, "file"))
    return redirect("portal:office:trace", made)


@never_cache
@require_safe
@requires(Action.TRACE)
def one(request: HttpRequest, caller: Caller, trace: str) -> HttpResponse:
    return render(request, "office/trace.html", _context(caller, _found(caller, trace)))


@never_cache
@require_safe
@requires(Action.TRACE)
def answer(request: HttpRequest, caller: Caller, trace: str) -> HttpResponse:
    """How far an open trace is, for a page that asks again and again. Ends by asking the browser to load it anew.

    `shown` is the state that the page has: a status that is put in place anew is spoken anew.
    """
    found = _found(caller, trace)
    if not found.is_open:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = _context(caller, found) | {"shown": request.GET.get("shown", "")}
    return render(request, "office/_trace_progress.html", context)


@require_POST
@requires(Action.TRACE)
def cancel(request: HttpRequest, caller: Caller, trace: str) -> HttpResponse:
    try:
        traces.cancel(caller=caller, programme=_programme(caller), trace=trace, now=clock.now())
    except DomainError as refusal:
        if isinstance(refusal, NotFound):
            raise
        messages.info(request, refusal.sentence)
    return redirect("portal:office:trace", trace)


@require_POST
@requires(Action.TRACE)
def confirm(request: HttpRequest, caller: Caller, trace: str) -> HttpResponse:
    traces.confirm(caller=caller, programme=_programme(caller), trace=trace, now=clock.now())
    return redirect("portal:office:trace", trace)


@require_safe
@requires(Action.TRACE)
def picture(request: HttpRequest, caller: Caller, trace: str, name: str) -> HttpResponseBase:
    found = _found(caller, trace).picture(name)
    if found is None:
        raise NotFound("not_found", "There is nothing at this address.")
    return serve.trace_picture(caller, found, request, now=clock.now())


def _list(request: HttpRequest, caller: Caller, **context: Any) -> HttpResponse:
    programme = _programme(caller)

    def read(limit: int, after: str | None) -> list[TraceView]:
        return queries.traces(programme.id, limit=limit, after=after)

    found = page(read, key=lambda row: row.public_id, after=request.GET.get("after"))
    rows = [(row, *STATES[row.state]) for row in found.entries]
    status = 422 if "errors" in context else 200
    return render(request, "office/traces.html", {"page": found, "rows": rows} | context, status=status)


def _programme(caller: Caller) -> ProgrammeView:
    """In which the caller may trace: who may need not run it."""
    return programme_of(caller, Permission.TRACE_MARKS)


def _found(caller: Caller, trace: str) -> TraceView:
    found = queries.trace(_programme(caller).id, trace)
    if found is None:
        raise NotFound("not_found", "There is no such trace.")
    return found


def _context(caller: Caller, trace: TraceView) -> dict[str, Any]:
    word, shape = STATES[trace.state]
    return {
        "trace": trace,
        "word": word,
        "shape": shape,
        "mine": trace.asked_by == caller.user_id,
        "pictures": [(name, words) for name, words in PICTURES.items() if name in trace.pictures],
        "recipients": _recipients(trace) if trace.confirmed_at else [],
    }


def _recipients(trace: TraceView) -> list[tuple[str, str]]:
    """For whom each copy was made, by its number: nobody yet, of one that was made ahead."""
    found = trace.recipients
    people = accounts.names(actor.partition(":")[2] for actor in found.values())
    tokens = access.holders(actor.partition(":")[2] for actor in found.values() if actor.startswith("token:"))
    told = []
    for number, actor in found.items():
        kind, _, who = actor.partition(":")
        if not actor:
            words = "Nobody yet: it was made ahead, and lay in the store when the file was looked into"
        elif actor == EVERYBODY:
            words = "Everybody: it is the public copy"
        elif kind == "token":
            words = tokens.get(who, f"the token {who}")
        else:
            words = people.get(who, who)
        told.append((number, words))
    return told

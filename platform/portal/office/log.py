"""The log as it stands, newest first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.caller import Caller
from access.gate import Action
from accounts import queries as accounts
from audit import queries as audit
from audit.queries import EventView
from core.errors import NotAllowed
from portal.gates import requires
from portal.office.programme import runs_everything
from portal.paging import number, page
from portal.zone import tell_house_time


@dataclass(frozen=True, slots=True)
class LogRow:
    seq: int
    at: datetime
    who: str
    action: str
    target: str
    details: str


@require_safe
@requires(Action.OPERATE)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`?of=` keeps to one thing, by its public id. The log is the whole house's, and so are its readers."""
    if not runs_everything(caller):
        raise NotAllowed(
            "not_an_operator", "The log is open to those who operate every programme of this house."
        )
    tell_house_time()
    target = request.GET.get("of") or None
    before = number(request.GET.get("after"))

    def read(limit: int, after: str | None) -> list[EventView]:
        return audit.latest(limit=limit, before=before, targets=[target] if target else ())

    found = page(read, key=lambda event: str(event.seq), after=request.GET.get("after"))
    names = accounts.names(_person(event.actor) for event in found.entries)
    context = {
        "target": target,
        "page": found,
        "rows": [log_row(event, names) for event in found.entries],
        "page_query": f"&of={quote(target)}" if target else "",
    }
    return render(request, "office/log.html", context)


def log_row(event: EventView, names: dict[str, str]) -> LogRow:
    kind, _, who = event.actor.partition(":")
    name = names.get(who) or who
    details = "" if not event.data else json.dumps(event.data, ensure_ascii=False, sort_keys=True)
    return LogRow(
        event.seq, event.at, name if kind == "user" else f"{kind} {name}", event.action, event.target, details
    )


def _person(actor: str) -> str:
    return actor.partition(":")[2]

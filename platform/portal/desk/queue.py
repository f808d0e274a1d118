"""What waits, taking the next, and what one has decided."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access.caller import Caller
from access.gate import Action
from core import clock
from portal.gates import requires
from portal.paging import page
from portal.zone import tell_house_time
from review import queries as review
from review.queries import DecidedEntry, QueueEntry
from review.services import leases
from review.states import Outcome

WORDS = {
    Outcome.APPROVE: ("Shown", "is-public"),
    Outcome.CHANGES: ("Changes asked", "is-changes"),
    Outcome.REFUSE: ("Not shown", "is-refused"),
}


@dataclass(frozen=True, slots=True)
class DecidedRow:
    entry: DecidedEntry
    word: str
    shape: str


@require_safe
@requires(Action.REVIEW)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The queue in words only, oldest due first; a clip is seen by who has taken its case."""
    me, now = caller.user_id, clock.now()
    tell_house_time()

    def read(limit: int, after: str | None) -> list[QueueEntry]:
        return review.queue(me, now=now, limit=limit, after=after)

    context = {
        "now": now,
        "counts": review.desk_counts(me, now=now),
        "lease": review.held_by(me, now=now),
        "page": page(read, key=lambda entry: entry.task, after=request.GET.get("after")),
    }
    return render(request, "desk/queue.html", context)


@require_POST
@requires(Action.REVIEW)
def take(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Take what is due first; who holds a case gets that one again."""
    lease = leases.claim_next(by=caller.actor, now=clock.now())
    if lease is None:
        return redirect("portal:desk:queue")
    return redirect("portal:desk:case", lease.case)


@require_safe
@requires(Action.REVIEW)
def decided(request: HttpRequest, caller: Caller) -> HttpResponse:
    tell_house_time()

    def read(limit: int, after: str | None) -> list[DecidedRow]:
        found = review.decided_by(caller.user_id, limit=limit, after=after)
        return [DecidedRow(entry, *WORDS[entry.decision.outcome]) for entry in found]

    rows = page(read, key=lambda row: row.entry.decision.public_id, after=request.GET.get("after"))
    return render(request, "desk/decided.html", {"page": rows})

"""The office's first page: what is, counted now, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import NotFound
from generation import queries as generation
from generation.queries import VariantView, workers
from portal.desk.words import counted, due, span
from portal.gates import requires
from portal.office.programme import programme_of
from programme import queries
from programme.queries import ProgrammeTotals, TermsView
from review import queries as review
from review.queries import CaseCounts, PolicyView


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something to do: what, why, and where."""

    what: str
    why: str
    to: str
    verb: str


@require_safe
@requires(Action.OPERATE)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    try:
        programme, now = programme_of(caller), clock.now()
    except NotFound:
        if queries.programme() is None:
            return redirect("portal:office:programme")
        raise
    totals = queries.totals(programme, now)
    cases = review.case_counts(programme.id, now=now)
    clips = generation.counts(programme.id)
    terms = queries.current_terms(programme.id)
    policy = review.current_policy(programme.id)
    variants = generation.variants(programme.id)
    context = {
        "programme": programme,
        "now": now,
        "totals": totals,
        "cases": cases,
        "first_due": due(cases.first_due, now) if cases.first_due else "",
        "clips": clips,
        "on_view": review.on_view_count(programme.id, now=now),
        "terms": terms,
        "policy": policy,
        "variants": variants,
        "waiting": _missing(terms, policy, variants) + _stalled(now) + _waiting(totals, cases),
    }
    return render(request, "office/today.html", context)


def _missing(
    terms: TermsView | None, policy: PolicyView | None, variants: Sequence[VariantView]
) -> list[Waiting]:
    """What nobody can work without."""
    found = []
    if not variants:
        why = "Nobody can render without a model."
        found.append(Waiting("A variant", why, reverse("admin:generation_modelvariant_add"), "Add one"))
    if terms is None:
        why = "Nobody can render before they are published."
        found.append(Waiting("Terms", why, reverse("portal:office:terms"), "Write them"))
    if policy is None:
        why = "Nobody can ask to share before one is published."
        found.append(Waiting("A policy", why, reverse("portal:office:policy"), "Write it"))
    return found


def _stalled(now: datetime) -> list[Waiting]:
    """What nobody is at, whoever waits for it: a worker is missing."""
    words = {
        "copies": ("Copies wait", "for viewers, tokens and approvals"),
        "tracing": ("Traces wait", "for whoever asked"),
    }
    found = []
    for work, backlog in workers.backlogs().items():
        if backlog.since is not None and backlog.stands_still(now):
            what, whom = words[work]
            why = f"For {span(now - backlog.since)}, {whom}; no worker is at any. Start one that takes “{work}”."
            found.append(Waiting(what, why, "", ""))
    return found


def _waiting(totals: ProgrammeTotals, cases: CaseCounts) -> list[Waiting]:
    found = []
    if not totals.cohorts:
        found.append(
            Waiting(
                "A first cohort", "People are invited into one.", reverse("portal:office:cohorts"), "Make one"
            )
        )
    elif not totals.active and not totals.invitations_open:
        why = "There are no members and no open invitations."
        found.append(Waiting("First members", why, reverse("portal:office:invitations"), "Invite"))
    if cases.overdue:
        what = counted(cases.overdue, "case is late", "cases are late")
        found.append(Waiting(what, "We promised an answer within 48 h. Ask your reviewers.", "", ""))
    if totals.invitations_open:
        what = counted(totals.invitations_open, "invitation is open", "invitations are open")
        found.append(
            Waiting(what, "Mailed, not used yet.", reverse("portal:office:invitations"), "See which")
        )
    if totals.suspended:
        what = counted(totals.suspended, "member is suspended", "members are suspended")
        found.append(
            Waiting(what, "They wait for a word from you.", reverse("portal:office:members"), "See who")
        )
    return found

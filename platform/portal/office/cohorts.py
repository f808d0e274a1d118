"""Cohorts: who comes in together, and how much each of them may render in a day."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import Invalid, WrongState
from portal.gates import requires
from portal.office.forms import sentences, whole_number
from portal.office.programme import cohort_of, programme_of
from programme import queries
from programme.queries import ProgrammeView
from programme.services import cohorts

NEW = {"name": "", "daily_seconds": "120"}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.OPERATE)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    programme = programme_of(caller)
    if request.method != "POST":
        return _page(request, programme)
    new = {key: request.POST.get(key, "") for key in NEW}
    try:
        cohorts.create(
            programme_id=programme.id,
            name=new["name"],
            daily_seconds=whole_number("daily_seconds", new["daily_seconds"]),
            by=caller.actor,
            now=clock.now(),
        )
    except (Invalid, WrongState) as refusal:
        return _page(request, programme, new=new, new_errors=sentences(refusal, "name"))
    messages.info(request, f"The cohort “{new['name'].strip()}” is made.")
    return redirect("portal:office:cohorts")


@require_POST
@requires(Action.OPERATE)
def change(request: HttpRequest, caller: Caller, cohort: str) -> HttpResponse:
    """Another daily allowance, for today as well."""
    programme = programme_of(caller)
    found = cohort_of(programme, cohort)
    typed = request.POST.get("daily_seconds", "")
    try:
        cohorts.set_daily_seconds(
            cohort_id=found.id,
            daily_seconds=whole_number("daily_seconds", typed),
            by=caller.actor,
            now=clock.now(),
        )
    except Invalid as refusal:
        errors = sentences(refusal, "daily_seconds")
        return _page(request, programme, edited=cohort, typed={"daily_seconds": typed}, errors=errors)
    messages.info(request, f"{found.name}: {typed.strip()} s a day.")
    return redirect("portal:office:cohorts")


def _page(request: HttpRequest, programme: ProgrammeView, **context: Any) -> HttpResponse:
    failed = bool(context)
    context = {"programme": programme, "cohorts": queries.cohorts(programme.id), "new": NEW} | context
    return render(request, "office/cohorts.html", context, status=422 if failed else 200)

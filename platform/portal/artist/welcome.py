"""Before the first render: a public name, and a yes to the terms."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from access.caller import Caller
from accounts.services import people
from audit import log
from core import clock
from core.errors import Invalid, WrongState
from portal.gates import needs_welcome, signed_in
from programme import queries
from programme.services import terms


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    if caller.membership is None:
        return redirect("portal:home")
    if not needs_welcome(caller):
        return redirect("portal:studio")
    if request.method == "POST":
        return _accept(request, caller)
    return _page(request, caller, name=caller.public_name)


def _accept(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Both or neither: a name without a yes would leave half a member."""
    if caller.membership is None:
        return redirect("portal:home")
    now, name = clock.now(), request.POST.get("name", "")
    version = request.POST.get("version", "")
    if request.POST.get("yes") != "on":
        return _page(
            request,
            caller,
            name=name,
            errors={"yes": "Without your yes to the terms we cannot open the studio."},
        )
    if not (version.isascii() and version.isdigit()) or int(version) != caller.membership.terms_current:
        return _page(
            request,
            caller,
            name=name,
            errors={"yes": "The terms have changed meanwhile. Please read them again."},
        )
    try:
        with log.transaction():
            people.choose_public_name(user_id=caller.user_id, name=name, by=caller.actor, now=now)
            terms.accept(membership_id=caller.membership.id, version=int(version), by=caller.actor, now=now)
    except Invalid as refusal:
        return _page(request, caller, name=name, errors={"name": refusal.sentence})
    except WrongState as refusal:
        return _page(request, caller, name=name, errors={"yes": refusal.sentence})
    return redirect("portal:studio")


def _page(
    request: HttpRequest, caller: Caller, *, name: str, errors: dict[str, str] | None = None
) -> HttpResponse:
    member = caller.membership
    context = {
        "name": name,
        "errors": errors or {},
        "member": member,
        "members": queries.memberships_of(caller.user_id),
        "terms": queries.current_terms(member.programme.id) if member is not None else None,
    }
    return render(request, "studio/welcome.html", context, status=422 if errors else 200)


@require_safe
@signed_in
def terms_page(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The terms in force, and whether this member has said yes to them."""
    member = caller.membership
    terms_now = queries.current_terms(member.programme.id) if member is not None else None
    return render(request, "studio/terms.html", {"member": member, "terms": terms_now})

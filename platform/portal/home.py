"""Where a person who has just come in belongs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access.caller import Caller
from portal.gates import needs_welcome, signed_in
from portal.middleware import SESSION_KEY
from programme import queries
from roles.roles import Role


@require_safe
@signed_in
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    if Role.OPERATOR in caller.roles:
        return redirect("portal:office:today")
    if Role.REVIEWER in caller.roles:
        return redirect("portal:desk:queue")
    if caller.membership is None:
        return render(request, "studio/no_membership.html")
    return redirect("portal:welcome" if needs_welcome(caller) else "portal:studio")


@require_POST
@signed_in
def switch(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Work in another of one's programmes."""
    wanted = request.POST.get("membership", "")
    if any(member.public_id == wanted for member in queries.memberships_of(caller.user_id)):
        request.session[SESSION_KEY] = wanted
    return redirect("portal:studio")

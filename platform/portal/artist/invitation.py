"""The invitation's link: a new account, or one more programme for somebody who has one."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from access.caller import Caller
from core import clock
from core.errors import Invalid, WrongState
from portal.gates import caller_of
from portal.middleware import SESSION_KEY
from programme import queries
from programme.services import admit, invitations
from programme.services.invitations import InvitationView
from review.rules import REVIEW_HOURS

CLOSED = {"invitation_used", "invitation_revoked", "invitation_expired"}


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@never_cache
def show(request: HttpRequest, secret: str) -> HttpResponse:
    """Shown to whoever has the link; a link that is not open any more says why and whom to ask."""
    try:
        return _show(request, secret)
    except WrongState as refusal:
        if refusal.code not in CLOSED:
            raise
        return render(request, "account/invitation_closed.html", {"sentence": refusal.sentence}, status=410)


def _show(request: HttpRequest, secret: str) -> HttpResponse:
    invitation = invitations.look_up(secret, clock.now())
    timezone.activate(ZoneInfo(invitation.timezone))
    caller = caller_of(request)
    if request.method != "POST":
        return _page(request, invitation)
    return _sign_up(request, secret, invitation) if caller is None else _join(request, secret, caller)


def _sign_up(request: HttpRequest, secret: str, invitation: InvitationView) -> HttpResponse:
    password = request.POST.get("password", "")
    try:
        admit.sign_up(secret=secret, password=password, now=clock.now())
    except Invalid as refusal:
        return _page(request, invitation, error=" ".join(refusal.fields.values()) or refusal.sentence)
    except WrongState as refusal:
        if refusal.code != "account_exists":
            raise
        return _page(request, invitation, exists=refusal.sentence)
    user = authenticate(request, email=invitation.email, password=password)
    if user is not None:
        login(request, user)
    return redirect("portal:welcome")


def _join(request: HttpRequest, secret: str, caller: Caller) -> HttpResponse:
    joined = invitations.accept(secret=secret, user_id=caller.user_id, by=caller.actor, now=clock.now())
    member = queries.membership(joined)
    if member is not None:
        request.session[SESSION_KEY] = member.public_id
    return redirect("portal:welcome")


def _page(
    request: HttpRequest, invitation: InvitationView, *, error: str = "", exists: str = ""
) -> HttpResponse:
    context = {
        "invitation": invitation,
        "error": error,
        "exists": exists,
        "signed_in": caller_of(request),
        "review_hours": REVIEW_HOURS,
    }
    status = 409 if exists else 422 if error else 200
    return render(request, "account/invitation.html", context, status=status)

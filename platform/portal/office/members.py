"""Members: who they are, and whether they may go on."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import WrongState
from portal import paging
from portal.gates import requires
from portal.office.programme import member_of, programme_of
from portal.paging import Page, number
from programme import queries
from programme.queries import MemberView
from programme.services import memberships
from programme.states import MembershipState

SHAPES = {
    MembershipState.ACTIVE: ("Active", "is-ok"),
    MembershipState.SUSPENDED: ("Suspended", "is-frozen"),
    MembershipState.ENDED: ("Ended", "is-revoked"),
}


@dataclass(frozen=True, slots=True)
class MemberRow:
    member: MemberView
    word: str
    shape: str

    @property
    def active(self) -> bool:
        return self.member.state == MembershipState.ACTIVE

    @property
    def suspended(self) -> bool:
        return self.member.state == MembershipState.SUSPENDED


@require_safe
@requires(Action.OPERATE)
def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    programme = programme_of(caller)
    after = number(request.GET.get("after"))
    found = queries.members(programme.id, after=after, limit=paging.SIZE)
    rows = [MemberRow(member, *SHAPES[member.state]) for member in found.members]
    cursor = None if found.next_after is None else str(found.next_after)
    context = {"programme": programme, "page": Page(rows, cursor, is_later=after is not None)}
    return render(request, "office/members.html", context)


@require_POST
@requires(Action.OPERATE)
def suspend(request: HttpRequest, caller: Caller, member: str) -> HttpResponse:
    found = member_of(programme_of(caller), member)
    try:
        memberships.suspend(membership_id=found.id, by=caller.actor, now=clock.now())
    except WrongState as refusal:
        messages.info(request, refusal.sentence)
    return redirect("portal:office:members")


@require_POST
@requires(Action.OPERATE)
def reinstate(request: HttpRequest, caller: Caller, member: str) -> HttpResponse:
    found = member_of(programme_of(caller), member)
    try:
        memberships.reinstate(membership_id=found.id, by=caller.actor, now=clock.now())
    except WrongState as refusal:
        messages.info(request, refusal.sentence)
    return redirect("portal:office:members")

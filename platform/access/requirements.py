"""What each action needs of its caller, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from access.caller import Caller
from access.scopes import Scope
from core.errors import NotAllowed
from programme.queries import MembershipView
from programme.states import MembershipState
from roles.roles import Permission, permits


class Action(StrEnum):
    READ_OWN = "read_own"
    RENDER = "render"
    CHANGE_OWN = "change_own"
    ASK_TO_SHARE = "ask_to_share"
    REVOKE_OWN_SHARE = "revoke_own_share"
    MAKE_TOKEN = "make_token"  # noqa: S105 - an action's name
    REVIEW = "review"
    REVOKE_ANY_SHARE = "revoke_any_share"
    OPERATE = "operate"
    TRACE = "trace"


@dataclass(frozen=True, slots=True)
class Needs:
    """`scope` is asked of tokens alone; `active` and `terms` make sense only with `member`."""

    scope: Scope | None = None
    session_only: bool = False
    permission: Permission | None = None
    member: bool = False
    active: bool = False
    terms: bool = False


# Own work stays reachable whatever has become of the membership: review gates publication, never possession.
NEEDS: Mapping[Action, Needs] = {
    Action.READ_OWN: Needs(scope=Scope.VIDEOS_READ, member=True),
    Action.CHANGE_OWN: Needs(scope=Scope.VIDEOS_WRITE, member=True),
    Action.REVOKE_OWN_SHARE: Needs(scope=Scope.SHARES_WRITE, member=True),
    Action.RENDER: Needs(scope=Scope.VIDEOS_WRITE, member=True, active=True, terms=True),
    Action.ASK_TO_SHARE: Needs(scope=Scope.SHARES_WRITE, member=True, active=True, terms=True),
    Action.MAKE_TOKEN: Needs(session_only=True, member=True, active=True, terms=True),
    Action.REVIEW: Needs(scope=Scope.REVIEW_DECIDE, permission=Permission.DECIDE_CASES),
    Action.REVOKE_ANY_SHARE: Needs(scope=Scope.SHARES_REVOKE, permission=Permission.REVOKE_ANY_SHARE),
    Action.OPERATE: Needs(session_only=True, permission=Permission.RUN_PROGRAMME),
    Action.TRACE: Needs(session_only=True, permission=Permission.TRACE_MARKS),
}

_REFUSED: Mapping[Permission, tuple[str, str]] = {
    Permission.DECIDE_CASES: ("not_a_reviewer", "This is for reviewers. Ask an operator for the role."),
    Permission.REVOKE_ANY_SHARE: ("not_an_operator", "This is for operators."),
    Permission.RUN_PROGRAMME: ("not_an_operator", "This is for operators."),
    Permission.TRACE_MARKS: ("may_not_trace", "This is for those who may trace marks."),
}


def check(caller: Caller, needs: Needs) -> None:
    """Raise NotAllowed for the first thing that is missing: the token's, then the person's, then the member's."""
    _check_token(caller, needs)
    if needs.permission is not None and not permits(caller.roles, needs.permission):
        raise NotAllowed(*_REFUSED[needs.permission])
    if needs.member:
        _check_member(caller.membership, needs)


def hold(caller: Caller, needs: Needs) -> bool:
    try:
        check(caller, needs)
    except NotAllowed:
        return False
    return True


def _check_token(caller: Caller, needs: Needs) -> None:
    if caller.scopes is None:
        return
    if needs.session_only:
        raise NotAllowed("session_only", "A token cannot do this. Sign in to the studio in a browser.")
    if needs.scope is not None and needs.scope not in caller.scopes:
        sentence = f"This token lacks the scope {needs.scope}. Make one that has it."
        raise NotAllowed("insufficient_scope", sentence, scope=needs.scope.value)


def _check_member(member: MembershipView | None, needs: Needs) -> None:
    if member is None:
        raise NotAllowed("not_a_member", "You are not in a programme. An operator can invite you.")
    name = member.programme.name
    if needs.active and member.state == MembershipState.SUSPENDED:
        sentence = f"Your membership in {name} is suspended. What you made stays yours to see and download."
        raise NotAllowed("member_suspended", sentence)
    if needs.active and member.state == MembershipState.ENDED:
        sentence = f"Your membership in {name} has ended. What you made stays yours to see and download."
        raise NotAllowed("membership_ended", sentence)
    if needs.terms and member.terms_current is None:
        raise NotAllowed(
            "terms_not_accepted", f"The terms of {name} are not published yet. Ask its operator."
        )
    if needs.terms and not member.terms_accepted:
        number = member.terms_current
        sentence = f"Version {number} of the terms of {name} waits for your yes, in the studio under Terms."
        raise NotAllowed("terms_not_accepted", sentence)

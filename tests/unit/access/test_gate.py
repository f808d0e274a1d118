"""The gate, over every action, role, kind of caller, scope, state and terms.

The expectation is written out by hand, as words, so that a change of the table in the code is seen here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, product

import pytest

from access import gate
from access.caller import Caller
from access.gate import Action
from access.kinds import KINDS, TokenKind
from access.scopes import Scope
from core.actors import Actor
from core.errors import NotAllowed
from programme.queries import MembershipView, ProgrammeView
from programme.states import MembershipState
from roles.roles import Role

# What is asked for, in the order in which it is missed: the code of the first that is missing is the answer.
EXPECTED: dict[Action, list[str]] = {
    Action.READ_OWN: ["videos:read", "member"],
    Action.CHANGE_OWN: ["videos:write", "member"],
    Action.REVOKE_OWN_SHARE: ["shares:write", "member"],
    Action.RENDER: ["videos:write", "member", "not suspended", "not ended", "terms"],
    Action.ASK_TO_SHARE: ["shares:write", "member", "not suspended", "not ended", "terms"],
    Action.MAKE_TOKEN: ["session", "member", "not suspended", "not ended", "terms"],
    Action.REVIEW: ["review:decide", "reviewer"],
    Action.REVOKE_ANY_SHARE: ["shares:revoke", "operator"],
    Action.OPERATE: ["session", "operator"],
    Action.TRACE: ["session", "may trace"],
}
CODES = {
    "session": "session_only",
    "reviewer": "not_a_reviewer",
    "operator": "not_an_operator",
    "may trace": "may_not_trace",
    "member": "not_a_member",
    "not suspended": "member_suspended",
    "not ended": "membership_ended",
    "terms": "terms_not_accepted",
    **{scope.value: "insufficient_scope" for scope in Scope},
}
ROLES = [frozenset[Role](), frozenset({Role.REVIEWER}), frozenset({Role.OPERATOR}), frozenset(Role)]
TERMS = [(None, False), (3, False), (3, True)]


def subsets(scopes: frozenset[Scope]) -> Iterator[frozenset[Scope]]:
    ordered = sorted(scopes)
    for chosen in chain.from_iterable(combinations(ordered, size) for size in range(len(ordered) + 1)):
        yield frozenset(chosen)


def members() -> Iterator[MembershipView | None]:
    yield None
    programme = ProgrammeView(1, "prg_1", "early", "Early Light", "Early Light", "Europe/Amsterdam")
    for state, (current, accepted) in product(MembershipState, TERMS):
        yield MembershipView(1, "mem_1", 1, programme, 1, "Spring", 120, state, current, accepted)


def callers() -> Iterator[Caller]:
    held = {None, *chain.from_iterable(subsets(rule.scopes) for rule in KINDS.values()), frozenset(Scope)}
    for scopes, member, roles in product(held, members(), ROLES):
        actor = Actor("user", "usr_1", 1) if scopes is None else Actor("token", "tok_1", 1)
        yield Caller(
            actor, 1, "ada@example.org", "Ada", member, roles, scopes, None if scopes is None else "tok_1"
        )


def facts(caller: Caller) -> set[str]:
    known = {scope.value for scope in (Scope if caller.scopes is None else caller.scopes)}
    known |= {"session"} if caller.scopes is None else set()
    known |= {role.value for role in caller.roles}
    known |= {"may trace"} if Role.OPERATOR in caller.roles else set()
    if caller.membership is not None:
        known |= {"member", "not suspended", "not ended"} - {f"not {caller.membership.state}"}
        known |= {"terms"} if caller.membership.terms_accepted else set()
    return known


@pytest.mark.parametrize("action", Action)
def test_the_gate_answers_as_written_for_every_caller(action: Action) -> None:
    asked = 0
    for caller in callers():
        missing = [need for need in EXPECTED[action] if need not in facts(caller)]
        assert gate.may(caller, action) is not bool(missing), (action, caller)
        if missing:
            with pytest.raises(NotAllowed) as refusal:
                gate.check_may(caller, action)
            assert refusal.value.code == CODES[missing[0]], (action, caller)
            assert refusal.value.sentence.endswith(".")
        asked += 1

    assert asked == 12 * 10 * 4  # scopes, memberships, roles


def test_every_action_is_expected_here() -> None:
    assert set(EXPECTED) == set(Action)


def test_own_work_is_reachable_in_every_state_and_without_terms() -> None:
    """Review gates publication, never possession."""
    own = [Action.READ_OWN, Action.CHANGE_OWN, Action.REVOKE_OWN_SHARE]
    in_session = [caller for caller in callers() if caller.scopes is None and caller.membership is not None]

    assert in_session
    assert all(gate.may(caller, action) for caller in in_session for action in own)


def test_a_role_adds_nothing_to_a_token_without_its_scope() -> None:
    artists = KINDS[TokenKind.ARTIST].scopes
    for caller in callers():
        if caller.scopes is not None and caller.scopes <= artists:
            assert not gate.may(caller, Action.REVIEW)
            assert not gate.may(caller, Action.REVOKE_ANY_SHARE)
            assert not gate.may(caller, Action.OPERATE)


@pytest.mark.parametrize(
    ("kind", "needs"),
    [
        (TokenKind.ARTIST, ["session", "member", "not suspended", "not ended", "terms"]),
        (TokenKind.REVIEWER, ["session", "reviewer"]),
        (TokenKind.OPERATOR, ["session", "operator"]),
    ],
)
def test_a_token_is_made_in_a_session_by_who_may_use_it(kind: TokenKind, needs: list[str]) -> None:
    for caller in callers():
        missing = [need for need in needs if need not in facts(caller)]
        assert gate.may_issue(caller, kind) is not bool(missing)
        if missing:
            with pytest.raises(NotAllowed) as refusal:
                gate.check_may_issue(caller, kind)
            assert refusal.value.code == CODES[missing[0]]


def test_no_scope_belongs_to_two_kinds_and_each_belongs_to_one() -> None:
    held = [scope for rule in KINDS.values() for scope in rule.scopes]

    assert sorted(held) == sorted(Scope)

"""State machines as data: the guard, the README's diagram and the test matrix are all made from one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from core.errors import WrongState

S = TypeVar("S", bound=str)
Transitions = Mapping[S, frozenset[S]]


def sources(table: Transitions[S], target: S) -> frozenset[S]:
    """The states from which `target` can be reached in one step; for conditional updates."""
    return frozenset(state for state, targets in table.items() if target in targets)


def check(table: Transitions[S], current: S, target: S, *, sentence: str | None = None) -> None:
    """Raise WrongState unless `current` → `target` is in the table."""
    if target not in table.get(current, frozenset()):
        raise WrongState("wrong_state", sentence or f"This is {current}; it cannot become {target}.")


def diagram(table: Transitions[S], start: Iterable[S]) -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    lines += [f"    [*] --> {state!s}" for state in start]
    for state, targets in table.items():
        lines += [f"    {state!s} --> {target!s}" for target in sorted(targets)]
        if not targets:
            lines.append(f"    {state!s} --> [*]")
    return "\n".join(lines)

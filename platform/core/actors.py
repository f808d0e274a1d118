"""Who did it: every service takes an Actor, every audit event names one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is a public id or the name of a part of the house; `user_id` is the person's row, None for the house."""

    kind: Literal["user", "token", "system"]
    id: str
    user_id: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def person_id(self) -> int:
        """The person's row id, where only a person can act."""
        if self.user_id is None:
            raise ValueError(f"{self} is not a person")
        return self.user_id


def system(name: str) -> Actor:
    return Actor(kind="system", id=name)

"""The decision form as it was typed. What it means is for review to judge."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from review.states import Outcome


@dataclass(frozen=True, slots=True)
class Choice:
    """`verb` is what the button says once this is chosen."""

    value: str
    name: str
    verb: str


OUTCOMES = (
    Choice(Outcome.APPROVE.value, "Show it", "Show it"),
    Choice(Outcome.CHANGES.value, "Ask for changes", "Send back"),
    Choice(Outcome.REFUSE.value, "Do not show", "Do not show"),
)


@dataclass(frozen=True, slots=True)
class Typed:
    lease: str = ""
    outcome: str = ""
    reasons: tuple[str, ...] = ()
    facts: str = ""

    @classmethod
    def of(cls, data: QueryDict) -> Typed:
        return cls(
            lease=data.get("lease", ""),
            outcome=data.get("outcome", ""),
            reasons=tuple(data.getlist("reasons")),
            facts=data.get("facts", ""),
        )

    @property
    def counted_reasons(self) -> tuple[str, ...]:
        """The page hides the reasons once the clip is to be shown; boxes ticked before that are not meant."""
        return () if self.outcome == Outcome.APPROVE else self.reasons

    @property
    def outcome_name(self) -> str:
        return next((choice.name for choice in OUTCOMES if choice.value == self.outcome), "")

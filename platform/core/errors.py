"""What can be anticipated. Each family maps to one HTTP status at each door; people read the sentence as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """Something was refused. Nothing has changed.

    `code` is stable and meant for programs; `sentence` is meant for the person who asked;
    `retry` says whether asking again later, unchanged, can help; `extra` goes into the API's answer.
    """

    retry = False

    def __init__(self, code: str, sentence: str, **extra: Any) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.extra: Mapping[str, Any] = extra


class Unauthenticated(DomainError):
    """We do not know who is asking."""


class NotAllowed(DomainError):
    """We know who is asking; they may not do this."""


class NotFound(DomainError):
    """There is no such thing, or not for this caller: the two are never told apart."""


class Gone(DomainError):
    """It was public once and is not any more."""


class WrongState(DomainError):
    """The thing is not in a state in which this can be done."""


class NotYet(DomainError):
    """It cannot be had this moment; `extra["retry_after"]` says in how many seconds to ask again."""

    retry = True


class OverQuota(DomainError):
    """The member's allowance does not cover this."""


class Invalid(DomainError):
    """What was sent cannot be used. `fields` names each field and what is wrong with it."""

    def __init__(
        self, code: str, sentence: str, *, fields: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(code, sentence, **extra)
        self.fields: Mapping[str, str] = fields or {}
